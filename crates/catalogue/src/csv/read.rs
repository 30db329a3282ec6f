//! Reading a CSV file row by row, within limits: its delimiter and header are recognised, its text must be
//! UTF-8.

use std::{
    cell::Cell,
    io::{self, BufRead, BufReader, Read},
    rc::Rc,
};

use atoll_kernel::limits::{CSV_CELL_BYTES_MAX, CSV_COLUMNS_MAX, CSV_ROW_BYTES_MAX, CSV_ROWS_MAX};
use csv::{ByteRecord, ReaderBuilder};

use super::{
    columns::{Header, HeaderError},
    formula::unescaped,
};
use crate::read::{BUFFER_BYTES, BYTE_ORDER_MARK};

/// Why a file is not one of CSV that is known.
#[derive(Debug, thiserror::Error)]
pub enum NotCsv {
    /// It cannot be read, or is no CSV.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// It has no header.
    #[error("the file is empty: it has no header")]
    Empty,
    /// The header is none.
    #[error("row 1: {0}")]
    Header(#[from] HeaderError),
    /// It is not UTF-8.
    #[error("row {row}{}: the text is not UTF-8, {guess}; save it as `CSV UTF-8`", of_column(.column))]
    NotUtf8 {
        /// The row.
        row: u64,
        /// The name of the column.
        column: String,
        /// What it seems to be.
        guess: &'static str,
    },
    /// It has more columns than are read.
    #[error("the file has more than {CSV_COLUMNS_MAX} columns")]
    TooManyColumns,
    /// It has more rows than are read.
    #[error("the file has more than {CSV_ROWS_MAX} rows")]
    TooManyRows,
    /// A cell has more bytes than are read.
    #[error("row {row}, column \"{column}\": the cell has more than {CSV_CELL_BYTES_MAX} bytes")]
    CellTooLong {
        /// The row.
        row: u64,
        /// The name of the column.
        column: String,
    },
}

fn of_column(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!(", column \"{name}\"") }
}

/// What text that is not UTF-8 seems to be.
fn guess(bytes: &[u8]) -> &'static str {
    if bytes.contains(&0) || bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "and looks like UTF-16"
    } else {
        "and looks like Latin-1 (Windows-1252)"
    }
}

/// Delimiters between cells, the most usual first.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// The one that the first line has most of, outside of quotes.
fn delimiter_of(start: &[u8]) -> u8 {
    let mut is_quoted = false;
    let mut counts = [0; DELIMITERS.len()];
    for byte in start {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' | b'\r' if !is_quoted => break,
            it if !is_quoted => {
                if let Some(n) = DELIMITERS.iter().position(|delimiter| delimiter == it) {
                    counts[n] += 1;
                }
            }
            _ => {}
        }
    }
    let most = (0..DELIMITERS.len()).rev().max_by_key(|n| counts[*n]).unwrap_or_default();
    DELIMITERS[most]
}

/// Ends a row that is too long: one whose quotes are not closed would be the rest of the file.
struct Bounded<R> {
    source: R,
    n_in_row: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n_read = self.source.read(to)?;
        let n_in_row = self.n_in_row.get() + n_read;
        self.n_in_row.set(n_in_row);
        if n_in_row > CSV_ROW_BYTES_MAX {
            let message = format!("a row has more than {CSV_ROW_BYTES_MAX} bytes: are its quotes closed?");
            return Err(io::Error::other(message));
        }
        Ok(n_read)
    }
}

/// A CSV file that is being read.
pub(crate) struct CsvFile<R> {
    rows: csv::Reader<Bounded<BufReader<R>>>,
    n_in_row: Rc<Cell<usize>>,
    /// Rows so far, the header included.
    n_rows: u64,
    record: ByteRecord,
    pub(crate) header: Header,
}

/// A row of a file: its cells, without the apostrophes that keep them from being formulas.
pub(crate) struct Row<'a> {
    /// Its number: the header is row 1.
    pub(crate) n: u64,
    pub(crate) header: &'a Header,
    cells: Vec<&'a str>,
}

impl Row<'_> {
    /// The cells with the numbers of their columns.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (u16, &str)> {
        self.cells.iter().enumerate().map(|(n, it)| (n as u16, *it))
    }
}

impl<R: Read> CsvFile<R> {
    /// Reads the header.
    pub(crate) fn open(source: R) -> Result<CsvFile<R>, NotCsv> {
        let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
        let start = source.fill_buf().map_err(csv::Error::from)?;
        let is_marked = start.starts_with(BYTE_ORDER_MARK);
        let delimiter = delimiter_of(start);
        if is_marked {
            source.consume(BYTE_ORDER_MARK.len());
        }
        let n_in_row = Rc::<Cell<usize>>::default();
        let source = Bounded { source, n_in_row: n_in_row.clone() };
        let mut rows =
            ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(source);
        let mut record = ByteRecord::new();
        if !rows.read_byte_record(&mut record)? {
            return Err(NotCsv::Empty);
        }
        if record.len() > CSV_COLUMNS_MAX {
            return Err(NotCsv::TooManyColumns);
        }
        let names = record.iter().map(|it| match std::str::from_utf8(it) {
            Ok(name) => Ok(unescaped(name.trim()).to_owned()),
            Err(_) => Err(NotCsv::NotUtf8 { row: 1, column: String::new(), guess: guess(it) }),
        });
        let header = Header::of(&names.collect::<Result<Vec<String>, NotCsv>>()?)?;
        Ok(CsvFile { rows, n_in_row, n_rows: 1, record, header })
    }

    /// The next row that has anything in it.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, NotCsv> {
        loop {
            self.n_in_row.set(0);
            if !self.rows.read_byte_record(&mut self.record)? {
                return Ok(None);
            }
            self.n_rows += 1;
            if self.n_rows > CSV_ROWS_MAX {
                return Err(NotCsv::TooManyRows);
            }
            if self.record.iter().any(|it| !it.is_empty()) {
                break;
            }
        }
        let name = |n: usize| self.header.headings.get(n).map(|it| it.name.clone()).unwrap_or_default();
        let mut cells = Vec::with_capacity(self.record.len());
        for (n, cell) in self.record.iter().enumerate().take(CSV_COLUMNS_MAX) {
            let (row, column) = (self.n_rows, || name(n));
            if cell.len() > CSV_CELL_BYTES_MAX {
                return Err(NotCsv::CellTooLong { row, column: column() });
            }
            let text = std::str::from_utf8(cell).map_err(|_| NotCsv::NotUtf8 {
                row,
                column: column(),
                guess: guess(cell),
            })?;
            cells.push(unescaped(text));
        }
        Ok(Some(Row { n: self.n_rows, header: &self.header, cells }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
        let mut file = CsvFile::open(bytes).map_err(|it| it.to_string())?;
        let mut rows = Vec::new();
        while let Some(row) = file.next().map_err(|it| it.to_string())? {
            rows.push(row.cells().map(|(_, it)| it.to_owned()).collect());
        }
        Ok(rows)
    }

    #[test]
    fn delimiters_line_ends_quotes_and_the_byte_order_mark_are_recognised() {
        let rows = vec![["web", "tea, \"green\"", "TRUE"].map(str::to_owned).to_vec()];
        for text in [
            "channel,product,enabled\nweb,\"tea, \"\"green\"\"\",TRUE\n",
            "\u{feff}channel,product,enabled\r\nweb,\"tea, \"\"green\"\"\",TRUE\r\n",
            "channel;product;enabled\r\nweb;\"tea, \"\"green\"\"\";TRUE",
            "channel\tproduct\tenabled\n\t\t\nweb\t\"tea, \"\"green\"\"\"\tTRUE\n",
            "\"channel\",\"product\",\"enabled\"\n\"web\",\"tea, \"\"green\"\"\",TRUE\n",
        ] {
            assert_eq!(read(text.as_bytes()), Ok(rows.clone()), "{text}");
        }
    }

    #[test]
    fn what_is_no_known_file_is_refused_with_the_place() {
        let wide = vec!["x"; CSV_COLUMNS_MAX + 1].join(",");
        let long = format!("Handle,Title\na,{}\n", "x".repeat(CSV_CELL_BYTES_MAX + 1));
        let open = format!("Handle,Title\na,\"{}\n", "x,\n".repeat(CSV_ROW_BYTES_MAX));
        for (bytes, error) in [
            (&b""[..], "the file is empty"),
            (b"a,b\n", "row 1: the first row is no header"),
            (b"Handel,Title,Variant SKU\n", "column `Handle` is missing (did you mean `Handel`?)"),
            (b"Handle,Title,Handle\n", "column `Handle` is there twice"),
            (
                b"Handle,Title\nbl\xe4tter,x\n",
                "row 2, column \"Handle\": the text is not UTF-8, and looks like Latin-1",
            ),
            (b"\xff\xfeH\0a\0", "looks like UTF-16"),
            (wide.as_bytes(), "more than 500 columns"),
            (long.as_bytes(), "row 2, column \"Title\": the cell has more than"),
            (open.as_bytes(), "are its quotes closed?"),
        ] {
            let text = read(bytes).expect_err("no file");
            assert!(text.contains(error), "{text}");
        }
    }
}
