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
