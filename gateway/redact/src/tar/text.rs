//! Texts in a tar archive's headers, by their meaning.

/// A text of the workload's that stands before a member's contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderText {
    /// The member's name.
    Name,
    /// A link's target.
    Link,
    /// An owner, an extended attribute, a comment.
    Data,
    /// A whole header: for matches that reach over several fields. What is overwritten of numbers there is put back.
    Block,
}

/// A text of a member's own header that an extended header replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplacedText {
    /// The member's name.
    Name,
    /// A link's target.
    Link,
    /// The owner's name.
    User,
    /// The group's name.
    Group,
}
