//! Reads the images of CRIU that say where a process's memory lies, and the numbers in others.

mod address_space;
mod image;
mod numbers;
mod page_counts;
mod page_map;
mod protobuf;

pub(crate) use address_space::{AddressSpace, MAX_ADDRESS_SPACE};
pub(crate) use image::Entries;
pub(crate) use numbers::{Number, Numbers, Role, Source, View, entries, is_image, views};
pub(crate) use page_counts::{PAGE_SIZES, PageCounts, PageMapName, page_size};
pub(crate) use page_map::{MAX_PAGE_MAP_ENTRY, Run, packed_lengths, pages_id};
pub(crate) use protobuf::{Value, bytes_in, fields, number_in, numbers_in, varint};
