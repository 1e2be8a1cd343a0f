//! Links, devices and privileges among the container's changed files.

use std::io::{BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use gateway_core::FindingCode;

use crate::Error;
use crate::content::is_gzip;
use crate::finding_list::FindingList;
use crate::stream::skip;
use crate::tar::{Kind, Member, Next, for_error, padding};

/// The most that is unpacked, in bytes: about a second.
const MAX_UNPACKED: u64 = 256 << 20;
/// The most entries that are looked at.
const MAX_ENTRIES: u64 = 100_000;
/// The bits of a mode.
const SETUID_OR_SETGID: u32 = 0o6000;

/// The number of files of a kind, and the first one's name.
#[derive(Debug, Default)]
struct Count {
    files: u64,
    first: String,
}

#[derive(Debug, Default)]
struct Counts {
    links: Count,
    devices: Count,
    privileged: Count,
    capable: Count,
}

/// Reads `rootfs-diff.tar`.
pub(super) fn report(body: &mut dyn BufRead, list: &mut FindingList) -> Result<(), Error> {
    let packed = is_gzip(body.fill_buf().map_err(Error::reading)?);
    let mut counts = Counts::default();
    let whole = if packed {
        let unpacked = MultiGzDecoder::new(body).take(MAX_UNPACKED);
        counts.read(&mut BufReader::new(unpacked))
    } else {
        counts.read(&mut body.take(MAX_UNPACKED))
    };
    counts.report(list);
    match whole {
        Ok(true) => {}
        Err(Error::Reading(error)) => return Err(Error::Reading(error)),
        Ok(false) | Err(_) => {
            let message = "the changed files were not looked at to their end: there are too many, or they are not a tar archive";
            list.note(FindingCode::NotSearched, "rootfs-diff.tar", message);
        }
    }
    Ok(())
}

impl Counts {
    /// Returns whether it has seen all entries.
    fn read(&mut self, tar: &mut dyn BufRead) -> Result<bool, Error> {
        for _ in 0..MAX_ENTRIES {
            // Some writers leave out the end.
            let Next::Member(member) = Member::next(tar)? else {
                return Ok(true);
            };
            self.add(&member);
            skip(tar, member.size.saturating_add(padding(member.size) as u64))?;
        }
        Ok(false)
    }

    fn add(&mut self, member: &Member) {
        let name = &member.name;
        match member.kind_byte() {
            b'1' | b'2' if member.link_escapes => self.links.add(name),
            b'3' | b'4' | b'6' => self.devices.add(name),
            _ => {}
        }
        if member.kind() == Kind::File && member.mode() & SETUID_OR_SETGID != 0 {
            self.privileged.add(name);
        }
        if member.has_capabilities() {
            self.capable.add(name);
        }
    }

    fn report(&self, list: &mut FindingList) {
        for (code, count, kind) in [
            (
                FindingCode::Link,
                &self.links,
                "changed files are links to absolute names or out of their folder",
            ),
            (
                FindingCode::Device,
                &self.devices,
                "changed files are devices or FIFOs",
            ),
            (
                FindingCode::Setuid,
                &self.privileged,
                "changed files have the setuid or setgid bit",
            ),
            (
                FindingCode::Capabilities,
                &self.capable,
                "changed files have file capabilities",
            ),
        ] {
            if count.files > 0 {
                let message = format!("{} {kind}, the first is `{}`", count.files, count.first);
                let place = format!("rootfs-diff.tar: {}", count.first);
                list.note(code, &place, &message);
            }
        }
    }
}

impl Count {
    fn add(&mut self, name: &[u8]) {
        if self.files == 0 {
            self.first = for_error(name);
        }
        self.files += 1;
    }
}
