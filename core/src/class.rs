//! What went wrong: the eight classes and the [`Classification`] of one failure.

use crate::time::Duration;

/// The kind of a failure. The policy decides by it whether and how to retry.
///
/// `as_str` gives the names that dashboards see; they are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "SCREAMING_SNAKE_CASE"))]
#[repr(u8)]
pub enum ErrorClass {
    /// The credentials are not accepted (HTTP 401). A [final](Self::is_final) class: not retried.
    Auth = 0,
    /// The caller may not do this (HTTP 403). A [final](Self::is_final) class: not retried.
    Permission = 1,
    /// The request itself is wrong (HTTP 400, 404, 422). A [final](Self::is_final) class: not
    /// retried.
    Permanent = 2,
    /// Another caller was faster: a conflict or a deadlock (HTTP 409).
    Concurrency = 3,
    /// Too many requests (HTTP 429). The response often says when to come back.
    RateLimit = 4,
    /// The other side failed (HTTP 5xx).
    ServerError = 5,
    /// The connection failed: a timeout, a reset, a missing acknowledgement.
    Transient = 6,
    /// The cause is not known. Retried, but by default only twice in a call.
    Unknown = 7,
}

impl ErrorClass {
    /// How many classes there are.
    pub const COUNT: usize = 8;

    /// All classes, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Auth,
        Self::Permission,
        Self::Permanent,
        Self::Concurrency,
        Self::RateLimit,
        Self::ServerError,
        Self::Transient,
        Self::Unknown,
    ];

    /// The fixed name, `"RATE_LIMIT"` for instance.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "AUTH",
            Self::Permission => "PERMISSION",
            Self::Permanent => "PERMANENT",
            Self::Concurrency => "CONCURRENCY",
            Self::RateLimit => "RATE_LIMIT",
            Self::ServerError => "SERVER_ERROR",
            Self::Transient => "TRANSIENT",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The class of a fixed name, or `None` if there is no such class.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }

    /// Whether the class is final: AUTH, PERMISSION and PERMANENT. A policy does not retry a
    /// final class, as the same request would fail again, unless
    /// [`RetryConfig::retriable`](crate::config::RetryConfig::retriable) allows it.
    #[inline]
    pub const fn is_final(self) -> bool {
        (self as u8) <= Self::Permanent as u8
    }
}

impl core::fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of classes in one byte.
///
/// ```
/// use redress::ErrorClass;
/// use redress::classify::ClassSet;
/// const TRIP: ClassSet = ClassSet::of(&[ErrorClass::Transient, ErrorClass::RateLimit]);
/// assert!(TRIP.contains(ErrorClass::RateLimit));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ClassSet(u8);

impl ClassSet {
    /// No class.
    pub const EMPTY: Self = Self(0);
    /// Every class.
    pub const ALL: Self = Self(u8::MAX);
    /// The [final](ErrorClass::is_final) classes: AUTH, PERMISSION, PERMANENT.
    pub const FINAL: Self =
        Self::of(&[ErrorClass::Auth, ErrorClass::Permission, ErrorClass::Permanent]);

    /// The set of the given classes; naming one twice is harmless.
    pub const fn of(classes: &[ErrorClass]) -> Self {
        let mut set = Self::EMPTY;
        let mut i = 0;
        while i < classes.len() {
            set = set.with(classes[i]);
            i += 1;
        }
        set
    }

    /// This set and `class`.
    #[inline]
    pub const fn with(self, class: ErrorClass) -> Self {
        Self(self.0 | 1 << class as u8)
    }

    /// This set without `class`.
    #[inline]
    pub const fn without(self, class: ErrorClass) -> Self {
        Self(self.0 & !(1 << class as u8))
    }

    /// Whether `class` is in the set.
    #[inline]
    pub const fn contains(self, class: ErrorClass) -> bool {
        self.0 >> class as u8 & 1 != 0
    }

    /// Whether no class is in the set.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One bit for each class, bit 0 for [`ErrorClass::Auth`].
    #[inline]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set with these [`bits`](Self::bits).
    #[inline]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The classes in the set, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = ErrorClass> {
        ErrorClass::ALL.into_iter().filter(move |&class| self.contains(class))
    }
}

/// `SERVER_ERROR, TRANSIENT`.
impl core::fmt::Display for ClassSet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (nth, class) in self.iter().enumerate() {
            write!(f, "{}{class}", if nth == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// The class of one failure, with what else its classifier knows about it.
///
/// A plain [`ErrorClass`] converts into a classification without hint or detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Classification {
    /// The class, by which the policy decides.
    pub class: ErrorClass,
    /// The hint: how long the other side asks the caller to wait (Retry-After); `None` without
    /// one.
    pub retry_after: Option<Duration>,
    /// The exact cause, for logs: an SQLSTATE, a vendor's code, a kind. The engine only passes it
    /// on.
    pub detail: Option<&'static str>,
}

impl Classification {
    /// A classification without hint and detail.
    #[inline]
    pub const fn new(class: ErrorClass) -> Self {
        Self { class, retry_after: None, detail: None }
    }

    /// The same with the hint to come back after `hint`.
    #[inline]
    pub const fn retry_after(mut self, hint: Duration) -> Self {
        self.retry_after = Some(hint);
        self
    }

    /// The same with a detail for logs.
    #[inline]
    pub const fn detail(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }
}

impl From<ErrorClass> for Classification {
    #[inline]
    fn from(class: ErrorClass) -> Self {
        Self::new(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_classes_convert_both_ways() {
        for class in ErrorClass::ALL {
            assert_eq!(ErrorClass::from_name(class.as_str()), Some(class));
        }
        assert_eq!(ErrorClass::from_name("transient"), None);
    }

    #[test]
    fn exactly_three_classes_are_final() {
        let last: std::vec::Vec<_> = ErrorClass::ALL.into_iter().filter(|c| c.is_final()).collect();
        assert_eq!(last, [ErrorClass::Auth, ErrorClass::Permission, ErrorClass::Permanent]);
    }

    #[test]
    fn a_set_gives_back_what_was_put_in() {
        let set = ClassSet::of(&[ErrorClass::Unknown, ErrorClass::Auth, ErrorClass::Unknown]);
        assert_eq!(
            set.iter().collect::<std::vec::Vec<_>>(),
            [ErrorClass::Auth, ErrorClass::Unknown]
        );
        assert!(!set.contains(ErrorClass::Transient) && !set.is_empty());
    }
}
