//! Standard output: buffered, and not upset when nobody reads on.

use std::io::{self, BufWriter, Stdout, Write};

use serde_json::Value;

/// Standard output; a closed pipe is taken for a reader who has seen enough.
pub(crate) struct Output(BufWriter<Quiet>);

impl Output {
    /// Standard output.
    pub(crate) fn new() -> Self {
        Self(BufWriter::with_capacity(64 << 10, Quiet { stdout: io::stdout(), closed: false }))
    }

    /// Prints one document.
    ///
    /// # Errors
    /// That of writing.
    pub(crate) fn document(&mut self, document: &Value) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.0, document)?;
        self.0.write_all(b"\n")
    }

    /// Prints text.
    ///
    /// # Errors
    /// That of writing.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())
    }

    /// Hands over what is buffered.
    ///
    /// # Errors
    /// That of writing.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

struct Quiet {
    stdout: Stdout,
    closed: bool,
}

impl Write for Quiet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        match self.stdout.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(bytes.len())
            }
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.stdout.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            result => result,
        }
    }
}
