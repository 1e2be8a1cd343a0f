//! Ids of requests, checkpoints and traces.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not a valid id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: expected {expected}")]
pub struct ParseIdError {
    text: String,
    expected: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Only the hyphenated lower-case form is an id, so that one id has one spelling.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::try_parse(text).ok().map(Self).filter(|id| id.to_string() == text).ok_or_else(|| ParseIdError {
                    text: crate::one_line(text, 64),
                    expected: "a UUID in lower case",
                })
            }
        }
    };
}

uuid_id! {
    /// The id of a request in the answer, the trace, the log and the audit record. A UUID of version 7 (RFC 9562), so ids
    /// sort by time.
    RequestId
}

impl RequestId {
    /// The nil UUID, for records about the audit log itself.
    pub const NONE: Self = Self(Uuid::nil());
}

uuid_id! {
    /// The id of a checkpoint. A UUID of version 7 (RFC 9562), so ids sort by time.
    CheckpointId
}

/// A W3C trace id: 16 bytes, not all zero, written as 32 lower-case hex digits (W3C Trace Context, section 3.2.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraceId([u8; 16]);

impl TraceId {
    /// The id with these bytes; `None` for the all-zero id, which means "no trace".
    pub fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for TraceId {
    type Error = ParseIdError;

    fn try_from(text: String) -> Result<Self, ParseIdError> {
        let wrong = || ParseIdError {
            text: crate::one_line(&text, 64),
            expected: "32 hex digits in lower case",
        };
        let value = u128::from_str_radix(&text, 16).map_err(|_| wrong())?;
        let id = Self::new(value.to_be_bytes()).ok_or_else(wrong)?;
        if id.to_string() == text {
            Ok(id)
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_other_spellings_of_an_id() {
        let id = RequestId::from(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_abcd));
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in [
            id.to_string().to_uppercase(),
            id.0.simple().to_string(),
            format!("{{{id}}}"),
            String::new(),
        ] {
            assert!(other.parse::<RequestId>().is_err(), "{other}");
        }
    }

    #[test]
    fn parses_trace_ids_and_rejects_zero() {
        let text = "4bf92f3577b34da6a3ce929d0e0e4736".to_owned();
        assert_eq!(
            TraceId::try_from(text.clone()).map(String::from),
            Ok(text.clone())
        );
        for wrong in [
            text.to_uppercase(),
            "0".repeat(32),
            format!("+{}", &text[1..]),
            text[1..].to_owned(),
        ] {
            assert!(TraceId::try_from(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
