//! Writes an archive to the location that the caller asks for.

use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::unix::pipe;
use tonic::Status;

use crate::behaviour::Behaviour;

/// The destination of an archive, opened like containerd does: for reading and writing, created with mode 0600 if it does
/// not exist, and not truncated if it does. So an existing file keeps its mode and its tail, and a FIFO works with or without
/// a reader.
pub(crate) struct Location {
    path: PathBuf,
    out: Box<dyn AsyncWrite + Send + Unpin>,
    /// The name until the archive is complete, if it is renamed then.
    temporary: Option<PathBuf>,
    behaviour: Behaviour,
    written: u64,
}

/// The reason why an archive is incomplete.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The dump cannot be read.
    Dump(io::Error),
    /// The location cannot be written.
    Location(PathBuf, io::Error),
    /// A fault aborts the connection.
    Aborted,
}

impl Location {
    pub(crate) async fn open(path: &Path, behaviour: &Behaviour) -> Result<Self, Status> {
        let failed = |error: io::Error| {
            Status::unknown(format!("open {}: {}", path.display(), text(&error)))
        };
        let kind = fs::metadata(path)
            .await
            .ok()
            .map(|metadata| metadata.file_type());
        let is_fifo = kind.is_some_and(|kind| kind.is_fifo());
        if behaviour.refuses_fifo() && kind.is_some_and(|kind| !kind.is_file() && !kind.is_dir()) {
            return Err(failed(io::Error::other("not a regular file")));
        }
        let temporary = behaviour
            .replaces_location()
            .then(|| path.with_added_extension("partial"));
        let out: Box<dyn AsyncWrite + Send + Unpin> = match &temporary {
            Some(temporary) => Box::new(regular(temporary).await.map_err(failed)?),
            None if is_fifo => Box::new(
                pipe::OpenOptions::new()
                    .read_write(true)
                    .open_sender(path)
                    .map_err(failed)?,
            ),
            None => Box::new(regular(path).await.map_err(failed)?),
        };
        Ok(Self {
            path: path.to_owned(),
            out,
            temporary,
            behaviour: behaviour.clone(),
            written: 0,
        })
    }

    /// Appends to the archive, up to the byte at which a fault occurs.
    pub(crate) async fn put(&mut self, chunk: &[u8]) -> Result<(), WriteError> {
        let abort = self.behaviour.abort_connection_after();
        let full = self.behaviour.disk_full_after();
        let left = [abort, full]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(u64::MAX)
            - self.written;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        let whole = length == chunk.len();
        let chunk = chunk.get(..length).unwrap_or_default();
        self.out
            .write_all(chunk)
            .await
            .map_err(|error| self.failed(error))?;
        self.written += length as u64;
        if !whole {
            self.out.flush().await.map_err(|error| self.failed(error))?;
            return Err(match full {
                Some(full) if full == self.written => {
                    self.failed(io::ErrorKind::StorageFull.into())
                }
                _ => WriteError::Aborted,
            });
        }
        if let Some(time) = self.behaviour.wait_between_chunks() {
            tokio::time::sleep(time).await;
        }
        Ok(())
    }

    pub(crate) async fn finish(&mut self) -> Result<(), WriteError> {
        self.out.flush().await.map_err(|error| self.failed(error))?;
        match &self.temporary {
            Some(temporary) => fs::rename(temporary, &self.path)
                .await
                .map_err(|error| self.failed(error)),
            None => Ok(()),
        }
    }

    fn failed(&self, error: io::Error) -> WriteError {
        WriteError::Location(self.path.clone(), error)
    }
}

impl From<WriteError> for Status {
    fn from(stopped: WriteError) -> Self {
        match stopped {
            WriteError::Dump(error) => {
                Self::unknown(format!("failed to read the dump: {}", text(&error)))
            }
            WriteError::Location(path, error) => Self::unknown(format!(
                "failed to write {}: {}",
                path.display(),
                text(&error)
            )),
            WriteError::Aborted => Self::unavailable("the connection was aborted"),
        }
    }
}

async fn regular(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .await
}

/// A system error in the words of runtimes written in Go: `no such file or directory`.
fn text(error: &io::Error) -> String {
    let text = match error.kind() {
        io::ErrorKind::StorageFull => "no space left on device".to_owned(),
        _ => error.to_string(),
    };
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_lowercase().collect::<String>() + chars.as_str()
    })
}
