//! Reads the images of CRIU: their kinds, their messages, and what these say of a process's memory.

mod address_space;
mod contents;
mod image;
mod kind;
mod numbers;
mod page_counts;
mod page_map;
mod protobuf;

pub(crate) use address_space::{AddressSpace, MAX_ADDRESS_SPACE};
pub(crate) use contents::Contents;
pub(crate) use image::{Entries, entries, is_image};
pub(crate) use kind::{Form, ImageKind, Text};
pub(crate) use numbers::{Number, Numbers, Role, TextField, View, views};
pub(crate) use page_counts::{PAGE_SIZES, PageCounts, PageMapName, page_size};
pub(crate) use page_map::{MAX_PAGE_MAP_ENTRY, Run, packed_lengths, pages_id};
pub(crate) use protobuf::{Value, bytes_in, fields, number_in, numbers_in, varint};
