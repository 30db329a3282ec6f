//! Names in URLs.

use unicode_normalization::UnicodeNormalization;

use crate::Error;

/// The handle that a title gives: lower case, accents gone, everything else a dash. Titles without a single
/// letter or digit of ASCII give an empty one.
pub fn handle_of(title: &str) -> String {
    let mut handle = String::with_capacity(title.len());
    for letter in title.nfkd().filter(|it| !is_accent(*it)) {
        if letter.is_ascii_alphanumeric() {
            handle.push(letter.to_ascii_lowercase());
        } else if !handle.is_empty() && !handle.ends_with('-') {
            handle.push('-');
        }
    }
    handle.truncate(handle.trim_end_matches('-').len());
    handle
}

fn is_accent(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// Is this handle fit for a URL?
pub(crate) fn check(handle: &str) -> Result<(), Error> {
    let part = |it: &str| !it.is_empty() && it.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if handle.split('-').all(part) { Ok(()) } else { Err(Error::Handle(handle.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_title(title: &str, expect: &str) {
        let handle = handle_of(title);
        assert_eq!(handle, expect);
        assert_eq!(check(&handle).is_ok(), !expect.is_empty());
    }

    #[test]
    fn titles_give_handles() {
        check_title("Tee", "tee");
        check_title("Headless + Omnichannel in a pill", "headless-omnichannel-in-a-pill");
        check_title("Crème Brûlée", "creme-brulee");
        check_title("  -x-  ", "x");
        check_title("店舗", "");
    }
}
