#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::num::{NonZeroU8, NonZeroU16};

use super::*;
use proptest::prelude::*;

const TEXT: OutputFormat = OutputFormat::Text {
    width: NonZeroU16::MAX,
};
const JSON: OutputFormat = OutputFormat::Json {
    depth: NonZeroU8::MIN,
};

fn decode(line: &str, format: OutputFormat) -> Result<Frame, Garbage> {
    Envelope::open(line.as_bytes())?.decode(format)
}

fn record(line: &str) -> Record {
    match decode(line, TEXT) {
        Ok(Frame::Record(record)) => record,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_sixteen_lower_case_hexadecimal_digits() {
    let token = Token::new([0, 1, 0xab, 0xff, 0x10, 9, 0xa0, 0x7f]);
    assert_eq!(token.to_string(), "0001abff1009a07f");
    assert_eq!(Token::parse(b"0001abff1009a07f"), Some(token));
    assert_eq!(Token::parse(b"0001ABFF1009A07F"), None);
    assert_eq!(Token::parse(b"0001"), None);
}

#[test]
fn output_loses_ansi_and_carriage_return_but_keeps_tabs() {
    let line = "O0123456789abcdef \u{1b}[32;1mName\u{1b}[0m\tvalue\r";
    assert_eq!(
        record(line),
        Record::Output {
            text: "Name\tvalue".to_owned()
        }
    );
    assert_eq!(
        record("O0123456789abcdef "),
        Record::Output {
            text: String::new()
        }
    );
}

#[test]
fn layout_lines_of_a_json_job_become_json_strings() {
    let frame = decode("O0123456789abcdef say \"hi\"", JSON).unwrap();
    assert_eq!(
        frame,
        Frame::Record(Record::Json {
            text: r#""say \"hi\"""#.to_owned()
        })
    );
}

#[test]
fn json_is_validated() {
    assert!(decode("J0123456789abcdef {\"a\":1}", JSON).is_ok());
    assert_eq!(
        decode("J0123456789abcdef {\"a\":1", JSON),
        Err(Garbage::Payload)
    );
    assert_eq!(decode("J0123456789abcdef 1 2", JSON), Err(Garbage::Payload));
}

#[test]
fn an_end_is_one_of_four_and_a_bit() {
    let end = |text| decode(&format!("F0123456789abcdef {text}"), TEXT);
    assert_eq!(
        end("C0"),
        Ok(Frame::Finished {
            end: End::Completed,
            stateful: false
        })
    );
    assert_eq!(
        end("S1"),
        Ok(Frame::Finished {
            end: End::Stopped,
            stateful: true
        })
    );
    for wrong in ["", "C", "X0", "C2", "C00"] {
        assert_eq!(end(wrong), Err(Garbage::Payload), "{wrong}");
    }
}

#[test]
fn what_is_no_frame_is_garbage() {
    for line in [
        "",
        "O",
        "O0123456789abcdef",
        "hello world, this is text",
        "Z0123456789abcdef x",
    ] {
        assert_eq!(
            Envelope::open(line.as_bytes()),
            Err(Garbage::NoFrame),
            "{line}"
        );
    }
    let broken = Envelope::open(b"O0123456789abcdef \xff\xfe")
        .unwrap()
        .decode(TEXT);
    assert_eq!(broken, Err(Garbage::NotUtf8));
}

#[test]
fn hello_and_ready_need_the_nonce() {
    assert_eq!(parse_hello(b"Habc 7.6.5", "abc"), Some("7.6.5"));
    assert_eq!(parse_hello(b"Habd 7.6.5", "abc"), None);
    assert!(is_ready(b"Rabc ", "abc"));
    assert!(!is_ready(b"Rabc", "abc"));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(envelope) = Envelope::open(&bytes) {
            let _ = envelope.decode(TEXT);
            let _ = envelope.decode(JSON);
        }
        let _ = parse_hello(&bytes, "abc");
    }

    #[test]
    fn no_payload_panics(tag in "[OJEPWVDISGBF]", payload in ".*") {
        let _ = decode(&format!("{tag}0123456789abcdef {payload}"), TEXT);
    }

    #[test]
    fn text_without_control_characters_arrives_unchanged(text in "[^\\pC]*") {
        let arrived = record(&format!("O0123456789abcdef {text}"));
        prop_assert_eq!(arrived, Record::Output { text });
    }

    #[test]
    fn a_quoted_text_arrives_unchanged(text in "[^\\pC]*(\n[^\\pC]*)*") {
        let line = format!("W0123456789abcdef {}", serde_json::Value::from(text.clone()));
        prop_assert_eq!(record(&line), Record::Warning { text });
    }
}
