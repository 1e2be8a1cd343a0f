//! Findings about an archive: what it lacks, what contradicts itself, and what a restore or an auditor should know.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something about an archive that its receiver must know. It never holds a value from the workload's memory.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Finding {
    /// Whether the archive may be used.
    pub severity: Severity,
    /// The kind.
    pub code: FindingCode,
    /// The member or document, or the entry of `rootfs-diff.tar`, as one bounded line.
    pub place: String,
    /// One plain sentence without a full stop, as one bounded line.
    pub message: String,
}

/// The weight of a [`Finding`].
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum Severity {
    /// The archive is incomplete, contradicts itself or is another container's: it is not published, and verification fails.
    Fatal,
    /// The archive can be used; the finding stands in record, metadata and answers.
    Noteworthy,
}

/// The kind of a [`Finding`]. The names are stable.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum FindingCode {
    /// `inventory.img`, `pstree.img` or an image that a process's state asks for is missing.
    ImageMissing,
    /// An image that says which others there must be cannot be read.
    ImageUnreadable,
    /// `spec.dump` is missing, or not a file.
    SpecMissing,
    /// A document cannot be read as JSON, so that its names could not be compared.
    DocumentUnreadable,
    /// `pages-ID.img` does not have as many pages as its maps say.
    PageCount,
    /// Pages lie in a parent checkpoint.
    PagesInParent,
    /// Pages are to be fetched later from the process that was dumped.
    PagesLazy,
    /// CRIU compressed the pages.
    PagesCompressed,
    /// The size of a page differs from the usual 4 KiB: the archive restores on machines with the same size only.
    PageSize,
    /// A member stands in the archive twice.
    MemberTwice,
    /// A member's name is absolute or has `..` in it.
    NameEscapes,
    /// Documents, labels or metadata name different containers, pods, namespaces or uids.
    OwnerConflict,
    /// A member or changed file is a link whose target is absolute or has `..` in it, or a link among the archive's members.
    Link,
    /// A member or changed file is a device or a FIFO.
    Device,
    /// A changed file has the setuid or setgid bit.
    Setuid,
    /// A changed file has file capabilities.
    Capabilities,
    /// A folder lacks its x bit: an ordinary user who unpacks the archive cannot look into it.
    FolderMode,
    /// The base image is known by its digest alone, or not at all.
    BaseImage,
    /// A member is encrypted.
    Encrypted,
    /// Contents cannot be searched: they are compressed in a way that is not unpacked, encrypted or over a bound.
    Opaque,
    /// Redaction touched something that a process has open or mapped: the container does not restore.
    WillNotRestore,
    /// A secret was left in a path, where masking it would keep the container from restoring.
    SecretInPath,
    /// The changed files were not looked at to their end.
    NotSearched,
    /// There are more findings than are listed.
    More,
}

impl Finding {
    /// Stands for this many findings that are not listed.
    pub fn unlisted(count: u64) -> Self {
        Self {
            severity: Severity::Noteworthy,
            code: FindingCode::More,
            place: String::new(),
            message: format!("{count} more findings are not listed"),
        }
    }

    /// Whether the archive must not be used.
    pub fn is_fatal(&self) -> bool {
        self.severity == Severity::Fatal
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl FindingCode {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ImageMissing => "image-missing",
            Self::ImageUnreadable => "image-unreadable",
            Self::SpecMissing => "spec-missing",
            Self::DocumentUnreadable => "document-unreadable",
            Self::PageCount => "page-count",
            Self::PagesInParent => "pages-in-parent",
            Self::PagesLazy => "pages-lazy",
            Self::PagesCompressed => "pages-compressed",
            Self::PageSize => "page-size",
            Self::MemberTwice => "member-twice",
            Self::NameEscapes => "name-escapes",
            Self::OwnerConflict => "owner-conflict",
            Self::Link => "link",
            Self::Device => "device",
            Self::Setuid => "setuid",
            Self::Capabilities => "capabilities",
            Self::FolderMode => "folder-mode",
            Self::BaseImage => "base-image",
            Self::Encrypted => "encrypted",
            Self::Opaque => "opaque",
            Self::WillNotRestore => "will-not-restore",
            Self::SecretInPath => "secret-in-path",
            Self::NotSearched => "not-searched",
            Self::More => "more",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_one_name_in_text_and_json() {
        for code in [
            FindingCode::ImageMissing,
            FindingCode::PagesInParent,
            FindingCode::OwnerConflict,
            FindingCode::WillNotRestore,
            FindingCode::More,
        ] {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
        }
    }
}
