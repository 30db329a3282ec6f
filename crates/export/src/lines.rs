//! Reading a file of an export line by line, each of a bounded size, with the checksum of what was read.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    path::Path,
};

use atoll_kernel::limits::RECORD_BYTES_MAX;
use atoll_values::hex;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Bytes of a line. JSON takes up to six for one that is stored, as `\u0000`.
const LINE_BYTES_MAX: usize = 6 * RECORD_BYTES_MAX;

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 1024 * 1024;

/// The lines of a file.
pub(crate) struct Lines {
    from: BufReader<File>,
    sha: Sha256,
    /// The number of lines that were read: that of the last one.
    pub(crate) n_read: u64,
    line: Vec<u8>,
}

/// A line of a file.
pub(crate) struct Line {
    /// Its number, from 1 on.
    pub(crate) number: u64,
    /// Its size.
    pub(crate) n_bytes: usize,
    /// The object that it is, or what is wrong with it.
    pub(crate) object: Result<Map<String, Value>, String>,
}

impl Lines {
    pub(crate) fn open(file: &Path) -> io::Result<Lines> {
        let from = BufReader::with_capacity(BUFFER_BYTES, File::open(file)?);
        Ok(Lines { from, sha: Sha256::new(), n_read: 0, line: Vec::new() })
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        self.line.clear();
        let mut from = self.from.by_ref().take(LINE_BYTES_MAX as u64);
        if from.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        self.sha.update(&self.line);
        self.n_read += 1;
        let object = match self.line.strip_suffix(b"\n") {
            Some(line) => serde_json::from_slice(line).map_err(|error| error.to_string()),
            None if self.line.len() == LINE_BYTES_MAX => {
                Err(format!("it has more than {LINE_BYTES_MAX} bytes"))
            }
            None => Err("it is cut off".to_owned()),
        };
        Ok(Some(Line { number: self.n_read, n_bytes: self.line.len(), object }))
    }

    /// The checksum of what was read.
    pub(crate) fn sha256(self) -> String {
        hex(&self.sha.finalize())
    }
}
