//! Durable, private files: written whole under no name, synced, then published under theirs.
//!
//! [`NewFile`] is a file that nobody sees before it is whole. [`PrivateFolder`] is a folder that only this user may enter,
//! reached through its descriptor. [`read`] and [`read_private`] read small files with a bound. Everything blocks.
//!
//! ```
//! # let home = tempfile::tempdir()?;
//! # let path = home.path().join("state.json");
//! gateway_files::write_new(&path, b"{}")?; // 0600, durable, an error if the name is taken
//! gateway_files::replace(&path, b"{\"a\":1}")?; // 0600, durable, readers see the old file or the new one
//! assert_eq!(gateway_files::read_private(&path, 1 << 20)?, b"{\"a\":1}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod error;
mod folder;
mod new_file;
mod path;
mod read;

pub use error::{Error, Refusal};
pub use folder::{PrivateFolder, make_private_folders};
pub use new_file::{NewFile, replace, write_new};
pub use path::{parent, remove, rename_new, rename_over, sync_parent, with_suffix};
pub use read::{open, read, read_private};
