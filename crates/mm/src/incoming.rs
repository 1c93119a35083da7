//! What a line of standard input is: a message of the protocol, or something that is answered with
//! an error (JSON-RPC 2.0, sections 4 to 6).

use bytes::{Bytes, BytesMut};
use rmcp::RoleServer;
use rmcp::service::RxJsonRpcMessage;
use serde_json::{Map, Value, json};
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, Decoder};

/// Bytes of the longest line that is read; what is longer would only fill the memory.
pub(crate) const LONGEST_LINE: usize = 16 << 20;

/// Characters of a method's name that an error repeats.
const LONGEST_NAME: usize = 100;

/// RFC 8259, section 8.1: a parser may ignore a byte order mark.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The whole line.
    Whole(Bytes),
    /// It is longer than [`LONGEST_LINE`], and its rest is not kept.
    TooLong,
}

/// Cuts the input into lines.
#[derive(Debug)]
pub(crate) struct Lines(AnyDelimiterCodec);

impl Default for Lines {
    fn default() -> Self {
        Self(AnyDelimiterCodec::new_with_max_length(
            b"\n".to_vec(),
            b"\n".to_vec(),
            LONGEST_LINE,
        ))
    }
}

/// A line that is too long is one of the lines: as an error it would end the reading until more
/// input comes.
fn lines(
    cut: Result<Option<Bytes>, AnyDelimiterCodecError>,
) -> Result<Option<Line>, std::io::Error> {
    match cut {
        Ok(line) => Ok(line.map(Line::Whole)),
        Err(AnyDelimiterCodecError::MaxChunkLengthExceeded) => Ok(Some(Line::TooLong)),
        Err(AnyDelimiterCodecError::Io(error)) => Err(error),
    }
}

impl Decoder for Lines {
    type Item = Line;
    type Error = std::io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Line>, std::io::Error> {
        lines(self.0.decode(buffer))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> Result<Option<Line>, std::io::Error> {
        lines(self.0.decode_eof(buffer))
    }
}

/// What a line is.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message that the server can take.
    Message(Box<RxJsonRpcMessage<RoleServer>>),
    /// Something that is answered with this error.
    Refused(Refusal),
    /// Nothing that has an answer: an empty line, a notification or an answer that nobody knows.
    Nothing,
}

/// An error as the answer to a line.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    /// `null` where the line does not tell, as JSON-RPC wants it (section 5).
    id: Value,
    code: i32,
    message: String,
}

impl Refusal {
    /// The line that says it.
    pub(crate) fn line(&self) -> String {
        let Self { id, code, message } = self;
        json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).to_string()
    }
}

impl Incoming {
    /// Reads a line.
    pub(crate) fn read(line: &Line) -> Self {
        let Line::Whole(line) = line else {
            return invalid_request(
                Value::Null,
                format!("the line is longer than {} MiB", LONGEST_LINE >> 20),
            );
        };
        let line = line
            .strip_prefix(BYTE_ORDER_MARK)
            .unwrap_or(line)
            .trim_ascii();
        if line.is_empty() {
            return Self::Nothing;
        }
        if let Ok(message) = serde_json::from_slice(line) {
            return Self::Message(Box::new(message));
        }
        match serde_json::from_slice(line) {
            Ok(Value::Object(message)) => unreadable(&message),
            Ok(Value::Array(_)) => invalid_request(
                Value::Null,
                "batches are not taken: send one message a line".to_owned(),
            ),
            Ok(_) => invalid_request(
                Value::Null,
                "a message is a JSON object with \"jsonrpc\": \"2.0\"".to_owned(),
            ),
            // The place alone: more words might quote the line.
            Err(error) => Self::Refused(Refusal {
                id: Value::Null,
                code: -32700,
                message: format!(
                    "the line is not valid JSON (at its character {}): a message is one line",
                    error.column()
                ),
            }),
        }
    }
}

/// An object that is no message the server can take.
fn unreadable(message: &Map<String, Value>) -> Incoming {
    let is_answer = message.contains_key("result") || message.contains_key("error");
    let given = message.get("id");
    let id = given
        .filter(|id| id.is_string() || id.is_i64())
        .cloned()
        .unwrap_or_default();
    match (message.get("method"), given) {
        // Two programs that answer each other's answers would never end.
        (None, _) if is_answer => Incoming::Nothing,
        (Some(Value::String(_)), None) => Incoming::Nothing,
        (Some(Value::String(method)), Some(_))
            if !id.is_null() && !is_answer && message.get("jsonrpc") == Some(&json!("2.0")) =>
        {
            let method: String = method.chars().take(LONGEST_NAME).collect();
            Incoming::Refused(Refusal {
                id,
                code: -32602,
                message: format!(
                    "the parameters of {method} cannot be read: \"params\" must be an object, and \
                     so must its \"_meta\""
                ),
            })
        }
        _ => invalid_request(
            id,
            "a request has \"jsonrpc\": \"2.0\", an \"id\" that is a string or an integer, and a \
             \"method\""
                .to_owned(),
        ),
    }
}

fn invalid_request(id: Value, message: String) -> Incoming {
    Incoming::Refused(Refusal {
        id,
        code: -32600,
        message,
    })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]

    use proptest::prelude::*;

    use super::*;

    fn read(line: &[u8]) -> Incoming {
        Incoming::read(&Line::Whole(Bytes::copy_from_slice(line)))
    }

    #[test]
    fn what_is_no_message_is_answered_by_its_kind() {
        for (line, id, code) in [
            (&b"garbage"[..], Value::Null, -32700),
            (b"{", Value::Null, -32700),
            (b"\xff\xfe\x00", Value::Null, -32700),
            (b"[]", Value::Null, -32600),
            (b"{}", Value::Null, -32600),
            (b"null", Value::Null, -32600),
            (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, json!(1), -32600),
            (br#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#, Value::Null, -32600),
            (br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, Value::Null, -32600),
            (br#"{"jsonrpc":"2.0","id":"a","method":5}"#, json!("a"), -32600),
            (
                br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":5}"#,
                json!("a"),
                -32602,
            ),
            (
                br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"run","_meta":5}}"#,
                json!(7),
                -32602,
            ),
        ] {
            let text = String::from_utf8_lossy(line);
            let Incoming::Refused(refusal) = read(line) else {
                panic!("{text} is not refused");
            };
            assert_eq!((&refusal.id, refusal.code), (&id, code), "{text}");
            let said: Value = serde_json::from_str(&refusal.line()).unwrap();
            assert_eq!((&said["jsonrpc"], &said["id"]), (&json!("2.0"), &id));
        }
    }

    #[test]
    fn what_asks_for_no_answer_gets_none() {
        for line in [
            &b""[..],
            b"  \r",
            b"\xEF\xBB\xBF",
            br#"{"jsonrpc":"2.0","result":5,"id":{}}"#,
            br#"{"jsonrpc":"2.0","error":{"code":-32700}}"#,
            br#"{"method":"notifications/stderr","params":5}"#,
        ] {
            assert!(matches!(read(line), Incoming::Nothing), "{line:?}");
        }
    }

    #[test]
    fn messages_are_taken() {
        for line in [
            &br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#[..],
            b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r",
            br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"run","arguments":[]}}"#,
        ] {
            assert!(matches!(read(line), Incoming::Message(_)), "{line:?}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_hides_no_other() {
        let mut input = BytesMut::from(&b"first\n"[..]);
        input.resize(input.len() + LONGEST_LINE + 10, b'x');
        input.extend_from_slice(b"\nlast\nrest");
        let mut cut = Lines::default();
        let mut found = Vec::new();
        while let Some(line) = cut.decode(&mut input).unwrap() {
            found.push(line);
        }
        found.extend(cut.decode_eof(&mut input).unwrap());
        let whole = |text: &'static str| Line::Whole(Bytes::from_static(text.as_bytes()));
        assert_eq!(
            found,
            [whole("first"), Line::TooLong, whole("last"), whole("rest")]
        );
    }

    proptest! {
        /// No error is answered with an error: two such programs would never end.
        #[test]
        fn an_answer_to_anything_is_never_answered(line: Vec<u8>) {
            if let Incoming::Refused(refusal) = read(&line) {
                let echo = read(refusal.line().as_bytes());
                prop_assert!(!matches!(echo, Incoming::Refused(_)));
            }
        }
    }
}
