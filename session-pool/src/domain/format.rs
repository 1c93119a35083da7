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
    /// The form without its measure.
    pub const fn name(self) -> FormatName {
        match self {
            Self::Text { .. } => FormatName::Text,
            Self::Json { .. } => FormatName::Json,
        }
    }
}
