//! Modems, through the AT commands of atat.

use atat::{CmeError, CmsError, ConnectionError, Error};
use redress::{Classification, ErrorClass};

use super::of;

/// A command of atat that failed.
///
/// | class | errors |
/// | --- | --- |
/// | as [`cme`], [`cms`] | `CmeError`, `CmsError` |
/// | TRANSIENT | `Read`, `Write`, `Timeout`, `Aborted`, `InvalidResponse` (noise on the line), `ConnectionError` |
/// | PERMANENT | `Capacity` |
/// | UNKNOWN | `Parse`, `Error` and `Custom`, which say nothing of the cause, and what comes later |
///
/// Have the modem say more than `ERROR`: `AT+CMEE=1` before the first command.
pub fn atat(error: &Error) -> Classification {
    match error {
        Error::CmeError(error) => cme(*error),
        Error::CmsError(error) => cms(*error),
        Error::Read => of(ErrorClass::Transient, "nothing read from the modem"),
        Error::Write => of(ErrorClass::Transient, "nothing written to the modem"),
        Error::Timeout => of(ErrorClass::Transient, "modem does not answer"),
        Error::Aborted => of(ErrorClass::Transient, "command aborted"),
        Error::InvalidResponse => of(ErrorClass::Transient, "response is damaged"),
        Error::ConnectionError(error) => of(
            ErrorClass::Transient,
            match error {
                ConnectionError::NoCarrier => "no carrier",
                ConnectionError::NoDialtone => "no dial tone",
                ConnectionError::Busy => "line is busy",
                ConnectionError::NoAnswer => "no answer",
                ConnectionError::Unknown => "connection failed",
            },
        ),
        Error::Capacity => of(ErrorClass::Permanent, "buffer too small"),
        Error::Parse => of(ErrorClass::Unknown, "response is not the expected one"),
        _ => of(ErrorClass::Unknown, "modem reports an error"),
    }
}

/// An error of a modem (`+CME ERROR`).
///
/// | class | errors |
/// | --- | --- |
/// | TRANSIENT | no network, cell or connection at the moment, time-outs, a SIM that is busy or has bad contact, congestion, a command that was aborted |
/// | `SERVER_ERROR` | failures of modem or network, no resources |
/// | CONCURRENCY | `LinkReserved`, `CollisionWithNetworkInitiatedRequest` |
/// | AUTH | a PIN, PUK or password that is wanted or wrong, and locks of the phone to a network. Not to be retried: a third wrong PIN locks the SIM |
/// | PERMISSION | what the network or the subscription refuses |
/// | PERMANENT | no or a wrong SIM, full memory, parameters and commands that are wrong or not supported |
/// | UNKNOWN | `NotAllowed` (of many modems: not now), `Unknown`, `GprsUnknown`, and all others |
///
/// Source: 3GPP TS 27.007, section 9.2.
pub fn cme(error: CmeError) -> Classification {
    use CmeError as E;
    match error {
        E::NoConnection | E::NoNetwork | E::NoCellsInArea | E::ImplicitlyDetached => {
            of(ErrorClass::Transient, "no network")
        }
        E::NetworkTimeout | E::MulticastGroupMembershipTimeout | E::RecoveryOnTimerExpiry => {
            of(ErrorClass::Transient, "network does not answer")
        }
        E::SimBusy | E::SimFailure => of(ErrorClass::Transient, "SIM busy or failed"),
        E::CommandAborted => of(ErrorClass::Transient, "command aborted"),
        E::Congestion | E::UserDataViaControlPlaneCongested => {
            of(ErrorClass::Transient, "network is congested")
        }
        E::TemporarilyOutOfService
        | E::MscTemporarilyNotReachable
        | E::CsServiceTemporarilyUnavailable
        | E::ServiceOptionOutOfOrder
        | E::CsDomainUnavailable
        | E::LadnUnavailable => of(ErrorClass::Transient, "temporarily out of service"),
        E::RegularDeactivation | E::ReactivationRequested | E::EsmInformationNotReceived => {
            of(ErrorClass::Transient, "connection was ended: connect again")
        }
        E::PhoneFailure | E::SystemFailure | E::MemoryFailure => {
            of(ErrorClass::ServerError, "failure of the modem")
        }
        E::NetworkFailureAttach
        | E::NetworkFailureActivation
        | E::EsmFailure
        | E::SevereNetworkFailure => of(ErrorClass::ServerError, "failure of the network"),
        E::InsufficientResources
        | E::InsufficientResourcesForSlice
        | E::InsufficientResourcesForSliceAndDnn => {
            of(ErrorClass::ServerError, "network has no resources")
        }
        E::LinkReserved | E::CollisionWithNetworkInitiatedRequest => {
            of(ErrorClass::Concurrency, "link in use")
        }
        _ => refused(error),
    }
}

/// An error of a modem that stays what it is.
fn refused(error: CmeError) -> Classification {
    use CmeError as E;
    match error {
        E::SimPin | E::SimPuk | E::SimPin2 | E::SimPuk2 | E::IncorrectPassword => {
            of(ErrorClass::Auth, "PIN, PUK or password")
        }
        E::PhSimPin
        | E::PhFsimPin
        | E::PhFsimPuk
        | E::NetworkPin
        | E::NetworkPuk
        | E::NetworkSubsetPin
        | E::NetworkSubsetPuk
        | E::ServicePin
        | E::ServicePuk
        | E::CorpPin
        | E::CorpPuk
        | E::HiddenKeyRequired => of(ErrorClass::Auth, "the phone is locked"),
        E::UserAuthenticationFailed | E::PdpAuthFailure => {
            of(ErrorClass::Auth, "authentication failed")
        }
        E::NetworkNotAllowed
        | E::NotAttachedRestricted
        | E::NotAllowedEmergencyOnly
        | E::NotAllowedRestricted
        | E::FixedDialNumberOnly
        | E::CallBarred
        | E::OperatorDeterminedBarring
        | E::ImsiUnknownInHss
        | E::ImsiUnknownInVlr
        | E::ImeiNotAccepted
        | E::IllegalUe
        | E::IllegalMe
        | E::PsServicesNotAllowed
        | E::PsAndNonPsServicesNotAllowed
        | E::PsServicesNotAllowedInPlmn
        | E::PlmnNotAllowed
        | E::AreaNotAllowed
        | E::RoamingNotAllowedInArea
        | E::NotAuthorizedForCsg
        | E::ServiceOptionNotSubscribed
        | E::ServiceOptionNotAuthorizedInPlmn
        | E::N1ModeNotAllowed
        | E::RestrictedServiceArea
        | E::Non3GppAccessTo5GcnNotAllowed
        | E::ServingNetworkNotAuthorized => of(ErrorClass::Permission, "refused by the network"),
        E::SimNotInserted | E::SimWrong => of(ErrorClass::Permanent, "no SIM, or a wrong one"),
        E::MemoryFull => of(ErrorClass::Permanent, "memory is full"),
        E::InvalidIndex
        | E::NotFound
        | E::TextTooLong
        | E::InvalidChars
        | E::DialStringTooLong
        | E::DialStringInvalid
        | E::IncorrectParameters
        | E::DataMissing
        | E::UnexpectedDataValue
        | E::MissingOrUnknownApn
        | E::MissingOrUnknownDnnInSlice
        | E::UnknownPdpAddressOrType => of(ErrorClass::Permanent, "invalid parameters"),
        E::NotSupported
        | E::CommandDisabled
        | E::EapMethodNotSupported
        | E::LanguageOrAlphabetNotSupported
        | E::ServiceOptionNotSupported
        | E::FeatureNotSupported
        | E::MessageTypeNotImplemented
        | E::RequestedApnNotSupported
        | E::DnnNotSupportedInSlice
        | E::UnsupportedQciOr5QiValue
        | E::UnsupportedSscMode
        | E::IeNotImplemented => of(ErrorClass::Permanent, "not supported"),
        _ => of(ErrorClass::Unknown, "another error of the modem"),
    }
}

/// An error of a message service (`+CMS ERROR`).
///
/// | class | errors |
/// | --- | --- |
/// | TRANSIENT | `NoNetwork`, `NetworkTimeout`, `SimBusy`, `SimFailure`; relay causes 27, 38, 41, 42; transfer cause 192 |
/// | `SERVER_ERROR` | `MeFailure`, `MemoryFailure`; relay cause 47; transfer cause 194 |
/// | CONCURRENCY | `SmsServiceReserved` |
/// | AUTH | PINs and PUKs |
/// | PERMISSION | relay causes 8 and 10: barred |
/// | PERMANENT | no or a wrong SIM, full memory, parameters, what is not supported; relay causes 1, 28, 30, 50, 69, 81, 95 to 97 |
/// | UNKNOWN | `NotAllowed`, `Unknown`, and all others |
///
/// Source: 3GPP TS 27.005, section 3.2.5; TS 24.011, annex E.2, for relay causes; TS 23.040, section
/// 9.2.3.22, for transfer causes.
pub fn cms(error: CmsError) -> Classification {
    use CmsError as E;
    match error {
        E::NoNetwork | E::RelayProtocolCause(38) => of(ErrorClass::Transient, "no network"),
        E::NetworkTimeout => of(ErrorClass::Transient, "network does not answer"),
        E::SimBusy | E::SimFailure => of(ErrorClass::Transient, "SIM busy or failed"),
        E::RelayProtocolCause(27 | 41 | 42) => of(ErrorClass::Transient, "temporary failure"),
        E::TransferProtocolFailureCause(192) => of(ErrorClass::Transient, "message centre is busy"),
        E::MeFailure | E::MemoryFailure => of(ErrorClass::ServerError, "failure of the modem"),
        E::RelayProtocolCause(47) => of(ErrorClass::ServerError, "network has no resources"),
        E::TransferProtocolFailureCause(194) => {
            of(ErrorClass::ServerError, "failure of the message centre")
        }
        E::SmsServiceReserved => of(ErrorClass::Concurrency, "message service in use"),
        E::SimPin | E::SimPuk | E::SimPin2 | E::SimPuk2 | E::PhSimPin => {
            of(ErrorClass::Auth, "PIN or PUK")
        }
        E::RelayProtocolCause(8 | 10) => of(ErrorClass::Permission, "barred"),
        E::SimNotInserted | E::SimWrong => of(ErrorClass::Permanent, "no SIM, or a wrong one"),
        E::MemoryFull => of(ErrorClass::Permanent, "memory is full"),
        E::InvalidPduParameter
        | E::InvalidTextParameter
        | E::InvalidIndex
        | E::SmscAddressUnknown
        | E::RelayProtocolCause(1 | 28 | 30 | 81 | 95..=97) => {
            of(ErrorClass::Permanent, "invalid parameters")
        }
        E::NotSupported | E::RelayProtocolCause(50 | 69) => {
            of(ErrorClass::Permanent, "not supported")
        }
        _ => of(ErrorClass::Unknown, "another error of the message service"),
    }
}
