//! Whether messages are shown before they are sent (`MM_SEND_GUARDS`).

use std::str::FromStr;

/// What becomes of messages that nobody was shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendGuards {
    /// They are shown first, and a yes is bound to what was shown.
    #[default]
    On,
    /// As in the original: `confirmed: true` is a yes.
    Legacy,
    /// They are sent.
    Off,
}

/// A value that is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be true, false or legacy")]
pub struct UnknownSendGuards;

impl FromStr for SendGuards {
    type Err = UnknownSendGuards;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "true" | "1" | "yes" | "on" => Ok(Self::On),
            "false" | "0" | "no" | "off" => Ok(Self::Off),
            "legacy" => Ok(Self::Legacy),
            _ => Err(UnknownSendGuards),
        }
    }
}
