//! The SDK for SQS, with a server that answers in the place of AWS.

use std::fmt::Debug;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvidedCredentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::ProvideCredentials;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::send_message::SendMessageError;
use redress_tokio::classify::{self, aws_in};

use super::{NO_HOST, SHORT};
use crate::Failure;
use crate::rows::{
    AUTH, CONCURRENCY, PERMANENT, PERMISSION, RATE_LIMIT, Rows, SERVER_ERROR, TRANSIENT, Want,
};
use crate::servers::sockets::{Answer, Refusing, Socket, http};

const NAME: &str = "aws-sdk-sqs";

/// Status, headers, code of the body, and the class.
const CODES: &[(u16, &str, &str, Want)] = &[
    (400, "", "OverLimit", RATE_LIMIT),
    (400, "", "RequestThrottled", RATE_LIMIT),
    (400, "", "ThrottlingException", RATE_LIMIT),
    (400, "Retry-After: 7\r\n", "ThrottlingException", RATE_LIMIT.after_secs(7)),
    (400, "x-amz-retry-after: 1500\r\n", "ThrottlingException", RATE_LIMIT.after_millis(1_500)),
    (400, "", "QueueDoesNotExist", PERMANENT),
    (
        400,
        "x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender\r\n",
        "QueueDoesNotExist",
        PERMANENT,
    ),
    (400, "", "InvalidMessageContents", PERMANENT),
    (400, "", "UnsupportedOperation", PERMANENT),
    (400, "Retry-After: 7\r\n", "InvalidMessageContents", PERMANENT),
    (403, "", "AccessDeniedException", PERMISSION),
    (403, "", "InvalidClientTokenId", AUTH),
    (403, "", "SignatureDoesNotMatch", AUTH),
    (400, "", "ExpiredTokenException", AUTH),
    (400, "", "UnrecognizedClientException", AUTH),
    (403, "", "NoCodeThatIsKnown", PERMISSION),
    (400, "", "ConditionalCheckFailedException", CONCURRENCY),
    (400, "", "TransactionInProgressException", CONCURRENCY),
    (400, "", "RequestTimeout", TRANSIENT),
    (500, "", "InternalFailure", SERVER_ERROR),
    (503, "", "ServiceUnavailable", SERVER_ERROR),
    // At codes that the SDK does not retry, this header fails a debug assertion in it.
    (400, "x-amz-retry-after: 250\r\n", "RequestTimeout", TRANSIENT.after_millis(250)),
];

pub(crate) async fn rows(rows: &mut Rows) -> Result<(), Failure> {
    codes(rows).await?;
    without_code(rows).await?;
    dispatch(rows).await?;
    credentials(rows).await
}

fn config(address: impl std::fmt::Display) -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .endpoint_url(format!("http://{address}"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
}

fn login() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "rows")
}

async fn send(config: Builder) -> Result<(), SdkError<SendMessageError>> {
    let client = Client::from_conf(config.build());
    let message =
        client.send_message().queue_url("http://localhost/1/orders").message_body("order");
    message.send().await.map(drop)
}

/// By the function, and by what finds it within another error.
fn row(rows: &mut Rows, fault: &str, want: Want, sent: Result<(), SdkError<SendMessageError>>) {
    let Err(error) = sent else { return rows.no_error(NAME, fault, want) };
    let verdict = classify::aws(&error);
    let outer: Box<dyn std::error::Error> = Box::new(std::io::Error::other(error));
    let inner = outer.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let found = inner.and_then(|inner| aws_in::<SendMessageError>(inner));
    let shown: &dyn Debug = &inner;
    if found == Some(verdict) {
        rows.verdict(NAME, fault, want, shown, verdict);
    } else {
        rows.no_error(NAME, &format!("{fault}: aws_in gives {found:?}, aws {verdict:?}"), want);
    }
}

async fn codes(rows: &mut Rows) -> Result<(), Failure> {
    for &(status, headers, code, want) in CODES {
        let body = format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"as requested"}}"#);
        let headers_of_json = format!("content-type: application/x-amz-json-1.0\r\n{headers}");
        let socket = Socket::start(http(status, &headers_of_json, &body)).await?;
        let sent = send(config(socket.address).credentials_provider(login())).await;
        let header = headers.split(';').next().unwrap_or_default().trim_end();
        let with = if header.is_empty() { String::new() } else { format!(", {header}") };
        row(rows, &format!("{status} {code}{with}"), want, sent);
    }
    Ok(())
}

async fn without_code(rows: &mut Rows) -> Result<(), Failure> {
    for (status, headers, want) in [
        (400_u16, "", PERMANENT),
        (403, "", PERMISSION),
        (404, "", PERMANENT),
        (408, "", TRANSIENT),
        (429, "Retry-After: 7\r\n", RATE_LIMIT.after_secs(7)),
        (500, "", SERVER_ERROR),
        (502, "", SERVER_ERROR),
        (503, "Retry-After: 7\r\n", SERVER_ERROR.after_secs(7)),
    ] {
        let page = Socket::start(http(status, headers, "<html>a proxy's page</html>")).await?;
        let sent = send(config(page.address).credentials_provider(login())).await;
        let with = if headers.is_empty() { "" } else { ", Retry-After: 7" };
        row(rows, &format!("{status} with a page of a proxy{with}"), want, sent);
    }
    let html = Socket::start(http(200, "", "<html>a login page</html>")).await?;
    let sent = send(config(html.address).credentials_provider(login())).await;
    row(rows, "200 with a page of a proxy", PERMANENT, sent);
    Ok(())
}

async fn dispatch(rows: &mut Rows) -> Result<(), Failure> {
    let refusing = Refusing::new()?;
    let sent = send(config(refusing.address).credentials_provider(login())).await;
    row(rows, "refused", TRANSIENT, sent);
    let sent = send(config(NO_HOST).credentials_provider(login())).await;
    row(rows, "DNS: no such name", TRANSIENT, sent);
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_vec();
    let smtp = b"220 mail.example.org ESMTP\r\n\r\n".to_vec();
    for (fault, want, answer) in [
        ("reset", TRANSIENT, Answer::Reset),
        ("closed without a response", TRANSIENT, Answer::Close),
        ("body cut short", TRANSIENT, Answer::Bytes(cut.clone())),
        ("body reset", TRANSIENT, Answer::BytesAndReset(cut)),
        ("no HTTP", PERMANENT, Answer::Bytes(smtp)),
    ] {
        let socket = Socket::start(answer).await?;
        row(rows, fault, want, send(config(socket.address).credentials_provider(login())).await);
    }
    let hang = Socket::start(Answer::Hang).await?;
    let limits = |limits: aws_sdk_sqs::config::timeout::TimeoutConfigBuilder| {
        let config = config(hang.address).credentials_provider(login());
        config.timeout_config(limits.build())
    };
    let builder = TimeoutConfig::builder;
    let sent = send(limits(builder().operation_timeout(SHORT))).await;
    row(rows, "hang, with the time-out of the operation", TRANSIENT, sent);
    let sent = send(limits(builder().operation_attempt_timeout(SHORT))).await;
    row(rows, "hang, with the time-out of the attempt", TRANSIENT, sent);
    let sent = send(limits(builder().read_timeout(SHORT))).await;
    row(rows, "hang, with the time-out of a read", TRANSIENT, sent);
    Ok(())
}

async fn credentials(rows: &mut Rows) -> Result<(), Failure> {
    let socket = Socket::start(Answer::Close).await?;
    let sent = send(config(socket.address)).await;
    row(rows, "no provider of credentials", AUTH, sent);
    for (fault, want, failure) in [
        ("provider that has no credentials", AUTH, Provider::Empty),
        ("provider whose service is refused", TRANSIENT, Provider::Refused),
        ("provider whose settings are wrong", PERMANENT, Provider::Misconfigured),
    ] {
        row(rows, fault, want, send(config(socket.address).credentials_provider(failure)).await);
    }
    Ok(())
}

/// A provider of credentials that fails.
#[derive(Clone, Copy, Debug)]
enum Provider {
    Empty,
    Refused,
    Misconfigured,
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> ProvidedCredentials<'a>
    where
        Self: 'a,
    {
        ProvidedCredentials::new(async {
            Err(match self {
                Self::Empty => CredentialsError::not_loaded("no variable of the environment"),
                Self::Misconfigured => CredentialsError::invalid_configuration("profile: missing"),
                Self::Refused => {
                    let refusing = Refusing::new().map_err(CredentialsError::unhandled)?;
                    let connected = tokio::net::TcpStream::connect(refusing.address).await;
                    CredentialsError::provider_error(connected.map(drop).unwrap_err())
                }
            })
        })
    }
}
