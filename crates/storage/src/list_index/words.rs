//! Full-text search: which records contain a word, anywhere in a word of theirs, exactly.
//!
//! Texts are split into words of letters and digits. Every different word is stored once, with a number, the
//! set of the records that contain it, and in the sets of the words that contain three letters in a row. A
//! searched word is looked up among the words by its letters; the result is the union of their records. So
//! the cost is that of the words that contain it, not that of the records.

use std::collections::BTreeSet;

use crate::{
    Read, Record, Scalar, StoreError, Write,
    key::group_key,
    list_index::{ListIndex, NumberSet, Part, Sets, intersect},
};

/// Letters of a word that is stored; longer ones are stored in overlapping pieces.
const WORD_LETTERS_MAX: usize = 64;
/// Letters by which these pieces overlap: a searched word of as many is in one of them.
const OVERLAP: usize = WORD_LETTERS_MAX / 2;

/// Letters in a row by which words are found.
const N_LETTERS: usize = 3;
/// Stands behind the last letter of a word, so that its last letters begin a run, too: a searched word of one
/// or two letters is the beginning of a run.
const END: char = ' ';

/// The records that contain a searched text.
pub struct Found {
    /// Their numbers.
    pub records: NumberSet,
    /// Are they exactly these? Otherwise some may not contain it: it holds other characters than letters and
    /// digits, or is very long.
    pub is_exact: bool,
}

/// The searched text of a record in lower case: one field per line.
pub fn searched_text(record: &dyn Record) -> String {
    let mut text = String::new();
    for field in record.def().search {
        match record.scalar(field) {
            Scalar::Text(it) => text.push_str(&it.to_lowercase()),
            Scalar::Number(it) => text.push_str(&it.to_string()),
            _ => {}
        }
        text.push('\n');
    }
    text
}

/// The words of a record, as they are stored.
pub(super) fn words_of(record: &dyn Record) -> BTreeSet<String> {
    let text = searched_text(record);
    let mut words = BTreeSet::new();
    for word in text.split(|it: char| !it.is_alphanumeric()).filter(|it| !it.is_empty()) {
        let letters: Vec<char> = word.chars().collect();
        if letters.len() <= WORD_LETTERS_MAX {
            words.insert(word.to_owned());
            continue;
        }
        for start in (0..letters.len() - OVERLAP).step_by(OVERLAP) {
            let end = letters.len().min(start + WORD_LETTERS_MAX);
            words.insert(letters[start..end].iter().collect());
        }
    }
    words
}

/// The runs of three letters in a word.
fn runs(letters: impl Iterator<Item = char>) -> BTreeSet<String> {
    let letters: Vec<char> = letters.collect();
    letters.windows(N_LETTERS).map(|it| it.iter().collect()).collect()
}

/// The runs under which a word is stored.
fn stored_runs(word: &str) -> BTreeSet<String> {
    runs(word.chars().chain([END; N_LETTERS - 1]))
}

impl ListIndex {
    fn containing(&self) -> Sets {
        Sets::in_part(self.lists, Part::Containing)
    }

    fn letters(&self) -> Sets {
        Sets::in_part(self.lists, Part::Letters)
    }

    /// Replaces the words of a record.
    pub(super) fn reword(
        &self,
        tx: &mut dyn Write,
        record: u32,
        old: &BTreeSet<String>,
        new: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        for word in new.difference(old) {
            let number = self.numbered(tx, Part::Words, word)?;
            if self.text_of(tx, Part::Words, number)?.is_none() {
                self.set_text(tx, Part::Words, number, Some(word));
                for run in stored_runs(word) {
                    self.letters().set(tx, &group_key(&[&run]), number, true)?;
                }
            }
            self.containing().set(tx, &number.to_be_bytes(), record, true)?;
        }
        for word in old.difference(new) {
            let Some(number) = self.number_of(tx, Part::Words, word)? else { continue };
            self.containing().set(tx, &number.to_be_bytes(), record, false)?;
            if self.containing().is_empty(tx, &number.to_be_bytes())? {
                self.set_text(tx, Part::Words, number, None);
                for run in stored_runs(word) {
                    self.letters().set(tx, &group_key(&[&run]), number, false)?;
                }
            }
        }
        Ok(())
    }

    /// The records that contain a text without white space, in lower case.
    pub fn containing_text(&self, tx: &dyn Read, text: &str) -> Result<Found, StoreError> {
        let mut found: Option<NumberSet> = None;
        let mut is_exact = true;
        for word in text.split(|it: char| !it.is_alphanumeric()) {
            is_exact &= word.len() == text.len();
            let mut word = word;
            if let Some((end, _)) = word.char_indices().nth(OVERLAP) {
                (word, is_exact) = (&word[..end], false);
            }
            if !word.is_empty() {
                intersect(&mut found, self.containing_word(tx, word)?);
            }
        }
        let records = found.map_or_else(|| self.all(tx), Ok)?;
        Ok(Found { records, is_exact })
    }

    fn containing_word(&self, tx: &dyn Read, word: &str) -> Result<NumberSet, StoreError> {
        let n_letters = word.chars().count();
        let mut words: Option<NumberSet> = None;
        for run in runs(word.chars()) {
            intersect(&mut words, self.letters().read(tx, &group_key(&[&run]))?);
        }
        let words = words.map_or_else(|| self.letters().read(tx, word.as_bytes()), Ok)?;
        let mut records = NumberSet::new();
        for number in words {
            let contains = n_letters <= N_LETTERS
                || self.text_of(tx, Part::Words, number)?.is_some_and(|it| it.contains(word));
            if contains {
                self.containing().add_to(tx, &number.to_be_bytes(), &mut records)?;
            }
        }
        Ok(records)
    }
}
