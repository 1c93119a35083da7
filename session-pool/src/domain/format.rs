//! How a command's output is written down.

use std::num::{NonZeroU8, NonZeroU16};

use serde::{Deserialize, Serialize};

/// The form of the output that a caller asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum FormatName {
    /// What a person would see at a console.
    #[default]
    Text,
    /// The output objects as a JSON array.
    Json,
}

/// A form with its measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// Formatted for a console of this width.
    Text {
        /// Columns.
        width: NonZeroU16,
    },
    /// Objects by `ConvertTo-Json`.
    Json {
        /// Levels of nested objects before they are written as one string.
        depth: NonZeroU8,
    },
}

impl OutputFormat {
    /// JSON as deep as the pool's own questions need it.
    pub const JSON_DEFAULT: Self = Self::Json {
        depth: match NonZeroU8::new(4) {
            Some(depth) => depth,
            None => NonZeroU8::MIN,
        },
    };

    /// The form without its measure.
    pub const fn name(self) -> FormatName {
        match self {
            Self::Text { .. } => FormatName::Text,
            Self::Json { .. } => FormatName::Json,
        }
    }
}

impl From<FormatName> for OutputFormat {
    /// The form in its usual measure.
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Text => Self::default(),
            FormatName::Json => Self::JSON_DEFAULT,
        }
    }
}

impl Default for OutputFormat {
    fn default() -> Self {
        Self::Text {
            width: NonZeroU16::new(120).unwrap_or(NonZeroU16::MAX),
        }
    }
}
