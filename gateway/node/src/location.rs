use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::unix::pipe;
use tonic::Status;

use crate::Behaviour;

/// Where an archive goes, opened as containerd does: for reading and writing, made with mode 0600 where there is nothing,
/// and neither emptied nor refused where there is something. So an existing file keeps its mode and tail, and a FIFO
/// works, with or without a reader.
pub(crate) struct Location {
    path: PathBuf,
    out: Box<dyn AsyncWrite + Send + Unpin>,
    /// The name under which it is written, where it only gets its own when it is whole.
    temporary: Option<PathBuf>,
    behaviour: Behaviour,
    written: u64,
}

/// Why an archive is not whole.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The dump cannot be read.
    Dump(io::Error),
    /// The location cannot be written.
    Location(PathBuf, io::Error),
    /// The fault that cuts the connection has struck.
    Cut,
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

    /// Appends to the archive, up to the byte where a fault strikes.
    pub(crate) async fn put(&mut self, chunk: &[u8]) -> Result<(), Stopped> {
        let cut = self.behaviour.cut_connection_after();
        let full = self.behaviour.disk_full_after();
        let room = [cut, full].into_iter().flatten().min().unwrap_or(u64::MAX) - self.written;
        let length = usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len());
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
                _ => Stopped::Cut,
            });
        }
        if let Some(time) = self.behaviour.wait_between_chunks() {
            tokio::time::sleep(time).await;
        }
        Ok(())
    }

    pub(crate) async fn finish(&mut self) -> Result<(), Stopped> {
        self.out.flush().await.map_err(|error| self.failed(error))?;
        match &self.temporary {
            Some(temporary) => fs::rename(temporary, &self.path)
                .await
                .map_err(|error| self.failed(error)),
            None => Ok(()),
        }
    }

    fn failed(&self, error: io::Error) -> Stopped {
        Stopped::Location(self.path.clone(), error)
    }
}

impl From<Stopped> for Status {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Dump(error) => {
                Self::unknown(format!("failed to read the dump: {}", text(&error)))
            }
            Stopped::Location(path, error) => Self::unknown(format!(
                "failed to write {}: {}",
                path.display(),
                text(&error)
            )),
            Stopped::Cut => Self::unavailable("the connection is cut"),
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

/// An error of the system as runtimes written in Go put it: `no such file or directory`.
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
