//! Contents that stand between an image's messages: how long they are, the message before them says.

use super::kind::{Behind, Form, ImageKind};
use super::protobuf::{Value, fields};

/// Follows the messages of one image.
#[derive(Debug)]
pub(crate) struct Contents {
    behind: Option<Behind>,
    /// Messages of a queue that are still to come.
    queued: u64,
    /// Whether a file comes in pieces; unknown before its first message.
    in_pieces: Option<bool>,
}

impl Contents {
    pub(crate) fn new(kind: &ImageKind) -> Self {
        let behind = match kind.form {
            Form::Contents(behind) => Some(behind),
            _ => None,
        };
        Self {
            behind,
            queued: 0,
            in_pieces: None,
        }
    }

    /// Bytes of contents behind `message`; more than there are where they go on to the image's end.
    pub(crate) fn behind(&mut self, message: &[u8]) -> u64 {
        match self.behind {
            None => 0,
            Some(Behind::Sum(all)) => all
                .iter()
                .fold(0, |sum, field| sum.saturating_add(number(message, *field))),
            Some(Behind::SharedMemory) if number(message, 3) != 0 => 0,
            Some(Behind::SharedMemory) => rounded(number(message, 2), 4),
            Some(Behind::Semaphores) => rounded(number(message, 2).saturating_mul(2), 8),
            Some(Behind::QueuedMessage) => self.behind_queue(message),
            Some(Behind::File) => self.behind_file(message),
        }
    }

    fn behind_queue(&mut self, message: &[u8]) -> u64 {
        if let Some(left) = self.queued.checked_sub(1) {
            self.queued = left;
            return rounded(number(message, 2), 8);
        }
        self.queued = number(message, 3);
        0
    }

    fn behind_file(&mut self, message: &[u8]) -> u64 {
        if self.in_pieces == Some(true) {
            return number(message, 1);
        }
        let in_pieces = number(message, 9) != 0;
        self.in_pieces = Some(in_pieces);
        if in_pieces { 0 } else { u64::MAX }
    }
}

/// The last number of this field; 0 if there is none.
fn number(message: &[u8], field: u64) -> u64 {
    let numbers = fields(message).filter_map(|it| match it {
        Some((number, Value::Number(value))) if number == field => Some(value),
        _ => None,
    });
    numbers.last().unwrap_or_default()
}

fn rounded(bytes: u64, to: u64) -> u64 {
    bytes.checked_next_multiple_of(to).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(kind: &str, messages: &[&[u8]]) -> Vec<u64> {
        let mut contents = Contents::new(ImageKind::of(kind.as_bytes()).unwrap());
        messages
            .iter()
            .map(|message| contents.behind(message))
            .collect()
    }

    #[test]
    fn messages_tell_the_contents_behind_them() {
        assert_eq!(behind("core-1", &[&[8, 1, 16, 9]]), [0]);
        assert_eq!(behind("pipes-data", &[&[8, 1, 16, 9], &[8, 1]]), [9, 0]);
        assert_eq!(behind("tcp-stream-1f", &[&[8, 3, 24, 4]]), [7]);
        assert_eq!(behind("ipcns-shm-9", &[&[16, 5], &[16, 5, 24, 1]]), [8, 0]);
        assert_eq!(behind("ipcns-sem-9", &[&[16, 5]]), [16]);
        let queue: &[u8] = &[16, 99, 24, 2];
        let text: &[u8] = &[8, 7, 16, 9];
        assert_eq!(
            behind("ipcns-msg-9", &[queue, text, text, queue]),
            [0, 16, 16, 0]
        );
        assert_eq!(behind("ghost-file-1", &[&[8, 1]]), [u64::MAX]);
        assert_eq!(
            behind("ghost-file-1", &[&[72, 1], &[8, 5], &[8, 6]]),
            [0, 5, 6]
        );
    }
}
