//! Files that processes have open or mapped: CRIU refuses to restore a process whose file has another length.

use std::collections::BTreeSet;

use crate::criu::{Value, entries, fields};
use crate::tar::normalize;

/// All names together, in bytes. Where there are more, every file counts as open.
const MAX_BYTES: usize = 8 << 20;

/// The names in the images of open files, which list mapped files, too.
#[derive(Debug, Default)]
pub(super) struct OpenFiles {
    /// `false` until an image was read, and for good if one cannot be read.
    is_known: bool,
    is_broken: bool,
    /// Normalized.
    names: BTreeSet<Vec<u8>>,
    bytes: usize,
}

impl OpenFiles {
    /// Whether the member `name` lists open files.
    pub(super) fn are_listed_in(name: &[u8]) -> bool {
        matches!(name, b"checkpoint/files.img" | b"checkpoint/reg-files.img")
    }

    /// Reads the image `name`.
    pub(super) fn add(&mut self, name: &[u8], image: &[u8]) {
        let Some(all) = entries(image) else {
            self.is_broken = true;
            return;
        };
        self.is_known = true;
        for entry in all {
            let entry = image.get(entry).unwrap_or_default();
            let file = match name {
                b"checkpoint/files.img" => message(entry, 3),
                _ => Some(entry),
            };
            if let Some(name) = file.and_then(|file| message(file, 6)) {
                let name = normalize(name);
                self.bytes = self.bytes.saturating_add(name.len() + 64);
                self.is_broken |= self.bytes > MAX_BYTES;
                if !self.is_broken {
                    self.names.insert(name);
                }
            }
        }
    }

    /// Whether a process is known to have the file `name` open or mapped.
    pub(super) fn is_known_to_have(&self, name: &[u8]) -> bool {
        self.is_known && !self.is_broken && self.has(name)
    }

    /// Whether a process has the file of this normalized name, below any mount, open or mapped. `true` where that is not known.
    pub(super) fn has(&self, name: &[u8]) -> bool {
        if self.is_broken || !self.is_known {
            return true;
        }
        self.names.contains(name)
            || self.names.iter().any(|open| {
                let above = open.strip_suffix(name);
                above.is_some_and(|above| above.ends_with(b"/"))
            })
    }
}

/// The bytes of the field `wanted`: of a `file_entry` 3 is `reg`, of a `reg_file_entry` 6 is `name`.
fn message(bytes: &[u8], wanted: u64) -> Option<&[u8]> {
    fields(bytes)
        .map_while(|field| field)
        .find_map(|field| match field {
            (number, Value::Bytes(bytes)) if number == wanted => Some(bytes),
            _ => None,
        })
}
