//! The core's tables against tests/vectors/classes.tsv, row by row: a row without a table, or
//! with another class than the table's, fails.

use std::fs;
use std::path::Path;

use redress::classify::{self, Facts, Verdict};
use redress::{Classification, Duration, ErrorClass};

/// A row of the file, but for its source.
#[derive(Clone, Copy, Debug)]
struct Row<'f> {
    family: &'f str,
    key: &'f str,
    class: &'f str,
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let row = |line| {
        let mut cells = str::split(line, '\t');
        let mut cell = || cells.next().unwrap_or_else(|| panic!("{line:?} lacks a column"));
        Row { family: cell(), key: cell(), class: cell() }
    };
    lines.map(row).collect()
}

/// What the table of a family says of one key.
fn table(family: &str, key: &str) -> Option<Verdict> {
    let of = |class: Option<ErrorClass>| class.map(Verdict::from);
    let number =
        key.strip_prefix("0x").map_or_else(|| key.parse(), |hex| i64::from_str_radix(hex, 16));
    let small = || u16::try_from(*number.as_ref().ok()?).ok();
    let byte = || u8::try_from(*number.as_ref().ok()?).ok();
    match family {
        "http" => Some(classify::http_status(small()?).into()),
        "sqlstate" => of(classify::sqlstate_code(key)),
        "grpc" => of(classify::grpc_name(key, "")),
        "redis" => of(classify::redis_message(key)),
        "mysql" => of(small()
            .map_or_else(|| classify::mysql_name(key), |code| classify::mysql_code(code, "", ""))),
        "sqlite" => sqlite(key),
        "mssql" => match number {
            Ok(number) => of(classify::mssql_code(i32::try_from(number).ok()?)),
            Err(_) => classify::mssql_name(key),
        },
        "mongodb" => of(match (&number, key.strip_prefix("label ")) {
            (Ok(code), _) => classify::mongodb_code(i32::try_from(*code).ok()?),
            (_, Some(label)) => classify::mongodb_label(label),
            _ => classify::mongodb_name(key),
        }),
        "prisma" => of(classify::prisma_code(key, "")),
        "dns" => match key.strip_prefix('"') {
            Some(text) => classify::dns_message(text.trim_end_matches('"'))
                .then_some(ErrorClass::Transient.into()),
            None => of(classify::dns_code(key)),
        },
        "smtp" => of(classify::smtp_code(small()?)),
        "amqp" => of(classify::amqp_code(small()?)),
        "nats" => of(classify::nats_code(key)),
        "mqtt5" => of(classify::mqtt5_code(byte()?)),
        "mqtt3" => of(classify::mqtt3_code(byte()?)),
        "tls" => of(classify::tls_code(key)),
        "http2" => of(match key {
            "REFUSED_STREAM" => classify::http2_reset(7),
            "GOAWAY with NO_ERROR" => classify::http2_goaway(0),
            _ => None,
        }),
        "client" => of(match key.strip_prefix('"') {
            Some(message) => classify::client_message(message.trim_end_matches('"')),
            None => classify::client_code(key),
        }),
        "llm" => match small() {
            Some(status) => Some(classify::http_status(status).into()),
            None => of(classify::llm_code(key)),
        },
        "abort" => classify::abort_name(key),
        _ => None,
    }
}

/// A name and its number, primary and extended, say the same.
fn sqlite(name: &str) -> Option<Verdict> {
    let verdict = classify::sqlite_name(name);
    let primary = (0..27).find(|&code| {
        let names = [name.to_owned(), format!("SQLITE_{name}"), format!("SQLITE_{name}_X")];
        let same = names.iter().all(|name| classify::sqlite_name(name) == verdict);
        same && classify::sqlite_code(code) == verdict
            && classify::sqlite_code(code | 5 << 8) == verdict
    });
    primary.and(verdict)
}

/// The keys of a part of a column, each on its own: ranges and prefixes are filled in.
fn keys(row: Row<'_>, part: &str, all: &[Row<'_>]) -> Vec<String> {
    let mut bare = part.to_owned();
    while let Some((before, rest)) = bare.clone().split_once(" (") {
        let after = rest.split_once(')').expect("a parenthesis is closed").1;
        bare = format!("{before}{after}");
    }
    let label = bare.trim().strip_prefix("label ").map(|labels| (labels.to_owned(), "label "));
    let (bare, prefix) = label.unwrap_or((bare, ""));
    let bare = ["responseCode ", "CONNACK "].iter().fold(bare, |bare, word| bare.replace(word, ""));
    bare.split(',')
        .flat_map(|key| filled_in(row, key.trim(), all))
        .map(|key| format!("{prefix}{key}"))
        .collect()
}

fn filled_in(row: Row<'_>, key: &str, all: &[Row<'_>]) -> Vec<String> {
    if let Some(prefix) = key.strip_suffix('*') {
        let samples = ["000", "001", "0P1", "999", "ZZZ"].map(|end| format!("{prefix}{end}"));
        let longer = |sample: &str| {
            let others = all.iter().filter(|other| other.family == row.family);
            others.flat_map(|other| other.key.split(", ")).any(|other| {
                match other.strip_suffix('*') {
                    Some(other) => other.len() > prefix.len() && sample.starts_with(other),
                    None => other == sample,
                }
            })
        };
        return samples.into_iter().filter(|sample| !longer(sample)).collect();
    }
    let (hex, digits) = match key.strip_prefix("0x") {
        Some(digits) => (true, digits.replace("-0x", "-")),
        None => (false, key.to_owned()),
    };
    let read = |digits: &str| u32::from_str_radix(digits, if hex { 16 } else { 10 }).ok();
    match digits.split_once('-').map(|(from, to)| (read(from), read(to))) {
        Some((Some(from), Some(to))) => {
            let spelled = |number| if hex { format!("0x{number:X}") } else { format!("{number}") };
            (from..=to).map(spelled).collect()
        }
        _ => vec![key.to_owned()],
    }
}

fn verdict(class: &str) -> Option<Verdict> {
    if class == "ABORTED" || class == "the call ends as ABORTED" {
        return Some(Verdict::Abort);
    }
    ErrorClass::from_name(class).map(Verdict::from)
}

/// Holds a row against its table; says what is wrong.
fn held(row: Row<'_>, all: &[Row<'_>]) -> Result<(), String> {
    let (parts, classes): (Vec<&str>, Vec<&str>) =
        (row.key.split("; ").collect(), row.class.split("; ").collect());
    if parts.len() != classes.len() {
        return Err(format!("{} keys and {} classes", parts.len(), classes.len()));
    }
    for (part, class) in parts.into_iter().zip(classes) {
        let want = verdict(class).ok_or_else(|| format!("{class:?} is no class"))?;
        for key in keys(row, part, all) {
            let got = table(row.family, &key);
            if got != Some(want) {
                return Err(format!("{key}: the table says {got:?}, the file {class}"));
            }
        }
    }
    Ok(())
}

type Class = Option<ErrorClass>;
const PERMANENT: Class = Some(ErrorClass::Permanent);
const TRANSIENT: Class = Some(ErrorClass::Transient);
const CONCURRENCY: Class = Some(ErrorClass::Concurrency);

/// The rows that are prose, and what each of them asks for.
const PROSE: &[(&str, &str, fn())] = &[
    ("http", "400-499 not listed", || {
        let told = [401, 403, 407, 408, 409, 421, 423, 425, 429, 449];
        for status in (400..=499).filter(|status| !told.contains(status)) {
            assert_eq!(classify::http_status(status), ErrorClass::Permanent, "{status}");
        }
    }),
    ("http", "403 with Retry-After, or with X-RateLimit-Remaining: 0", || {
        let of = |header| classify::http_response_headers(403, [header], 0);
        let limited = Classification::new(ErrorClass::RateLimit);
        assert_eq!(of(("Retry-After", "9")), Some(limited.retry_after(Duration::from_secs(9))));
        assert_eq!(of(("X-RateLimit-Remaining", "0")), Some(limited));
        assert_eq!(of(("X-RateLimit-Remaining", "1")), Some(ErrorClass::Permission.into()));
        assert_eq!(of(("Server", "x")), Some(ErrorClass::Permission.into()));
    }),
    (
        "grpc",
        "RESOURCE_EXHAUSTED whose text says that a message is larger than the maximum",
        || {
            let text = "Received message larger than max (5000000 vs. 4194304)";
            assert_eq!(classify::grpc_code(8, text), PERMANENT);
            let facts = Facts { grpc: Some("RESOURCE_EXHAUSTED"), message: text, ..Facts::NONE };
            assert_eq!(classify::grpc(&facts).class, ErrorClass::Permanent);
            assert_eq!(classify::grpc_code(8, "quota"), Some(ErrorClass::RateLimit));
        },
    ),
    ("redis", "EXECABORT", || {
        let reply = "EXECABORT Transaction discarded because of previous errors.";
        assert_eq!(classify::redis_exec(reply, "WRONGTYPE Operation"), PERMANENT);
        assert_eq!(classify::redis_exec(reply, "LOADING"), TRANSIENT);
        assert_eq!(classify::redis_exec(reply, ""), None);
        assert_eq!(classify::redis_message(reply), None);
    }),
    ("mysql", "1792, 1836; 1290 if its text says read-only or read_only, else PERMANENT", || {
        let of = |code, text| classify::mysql_code(code, "HY000", text);
        assert_eq!([of(1792, ""), of(1836, "")], [CONCURRENCY; 2]);
        assert_eq!(
            [of(1290, "--read-only option"), of(1290, "--super_read_only")],
            [CONCURRENCY; 2]
        );
        assert_eq!(of(1290, "--skip-grant-tables option"), PERMANENT);
    }),
    ("mysql", "others with an sqlState", || {
        assert_eq!(classify::mysql_code(1062, "23000", ""), PERMANENT);
        assert_eq!(classify::mysql_code(1637, "08004", ""), TRANSIENT);
        assert_eq!(classify::mysql_code(1105, "HY000", ""), None);
    }),
    ("mongodb", "a code listed here beats a label", || {
        let of = |code| classify::mongodb_error(Some(code), ["TransientTransactionError"], "");
        assert_eq!([of(112), of(8000), of(4242)], [CONCURRENCY, Some(ErrorClass::Auth), TRANSIENT]);
    }),
    ("prisma", "P2010", || {
        assert_eq!(classify::prisma_code("P2010", "40P01"), CONCURRENCY);
        assert_eq!(classify::prisma_code("P2010", "1205"), CONCURRENCY);
        assert_eq!(classify::prisma_code("P2010", ""), None);
    }),
    ("prisma", "other P1***, P2***", || {
        for code in ["P1003", "P1013", "P2002", "P2025", "P2999"] {
            assert_eq!(classify::prisma_code(code, ""), PERMANENT, "{code}");
        }
        assert_eq!(classify::prisma_code("P3001", ""), None);
    }),
    ("kafka", "error.retriable true; false", || {
        let of = |retriable| classify::kafka_name("NOT_LEADER_OR_FOLLOWER", retriable);
        assert_eq!([of(Some(true)), of(Some(false)), of(None)], [TRANSIENT, PERMANENT, None]);
    }),
    ("kafka", "SASL failure; *_AUTHORIZATION_FAILED", || {
        let of = |name| classify::kafka_name(name, Some(false));
        assert_eq!(of("SASL_AUTHENTICATION_FAILED"), Some(ErrorClass::Auth));
        assert_eq!(of("KafkaJSSASLAuthenticationError"), Some(ErrorClass::Auth));
        assert_eq!(of("TOPIC_AUTHORIZATION_FAILED"), Some(ErrorClass::Permission));
    }),
    ("smtp", "other 500-599", || {
        for code in (500..=599).filter(|code| ![530, 534, 535].contains(code)) {
            assert_eq!(classify::smtp_code(code), PERMANENT, "{code}");
        }
        assert_eq!([classify::smtp_code(250), classify::smtp_code(600)], [None; 2]);
    }),
    ("coap", "4.29; 5.xx; 4.01; 4.03; other 4.xx", || {
        for detail in 0..32 {
            let class = match detail {
                1 => ErrorClass::Auth,
                3 => ErrorClass::Permission,
                29 => ErrorClass::RateLimit,
                _ => ErrorClass::Permanent,
            };
            assert_eq!(classify::coap_code(4 << 5 | detail), Some(class), "4.{detail:02}");
            let server = Some(ErrorClass::ServerError);
            assert_eq!(classify::coap_code(5 << 5 | detail), server, "5.{detail:02}");
            assert_eq!(classify::coap_code(2 << 5 | detail), None, "2.{detail:02}");
        }
    }),
];

/// Line 142.
#[test]
fn every_row_of_the_failure_classes_has_a_table_that_says_so() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/classes.tsv");
    let text = fs::read_to_string(path).expect("the file is there");
    let all = rows(&text);
    let mut wrong = Vec::new();
    for &row in &all {
        let prose = PROSE.iter().find(|(family, key, _)| (*family, *key) == (row.family, row.key));
        match prose {
            Some((_, _, holds)) => holds(),
            None => wrong.extend(held(row, &all).err().map(|why| format!("{row:?}: {why}"))),
        }
    }
    for (family, key, _) in PROSE {
        let there = all.iter().any(|row| (row.family, row.key) == (*family, *key));
        assert!(there, "{family} {key}: no such row");
    }
    assert!(all.len() > 130, "{} rows", all.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Line 142: what keeps the test above from passing whatever is in the file.
#[test]
fn a_row_without_a_table_or_with_another_class_is_noticed() {
    for row in [
        "ftp\t530\tAUTH\t",
        "smtp\t530\tPERMANENT\t",
        "smtp\t399-401\tTRANSIENT\t",
        "sqlstate\t2*\tPERMANENT\t",
        "nats\tTIMEOUT, NO_SUCH_CODE\tTRANSIENT\t",
        "amqp\t403; 405\tPERMISSION\t",
        "redis\tLOADING\tat once\t",
        "sqlite\tINTERRUPT\tTRANSIENT\t",
    ] {
        let all = rows(row);
        assert!(held(all[0], &all).is_err(), "{row}");
    }
    let right = rows("mqtt5\t0x99-0x9B, 0x9E; 0x96 (busy)\tPERMANENT; RATE_LIMIT\t");
    assert_eq!(held(right[0], &right), Ok(()));
}

/// Line 142: a table goes before the default rules, which have the rest.
#[test]
fn a_table_that_says_nothing_leaves_the_word_to_the_next() {
    struct Failed {
        code: u16,
        state: &'static str,
    }
    let classify = |error: &Failed| {
        let class = classify::mysql_code(error.code, error.state, "");
        class.map_or_else(|| classify::default(&Facts::NONE), Classification::new)
    };
    for (code, state, class) in [
        (1213, "40001", ErrorClass::Concurrency),
        (1062, "23000", ErrorClass::Permanent),
        (1105, "HY000", ErrorClass::Unknown),
    ] {
        assert_eq!(classify(&Failed { code, state }).class, class, "{code}");
    }
}
