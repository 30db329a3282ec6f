//! Handles (slugs): names in URLs, generated from titles, in any script.

use atoll_kernel::{Kind, Moment};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::Error;

/// The handle of a title: lower case, without Latin accents and apostrophes, with the letters of other
/// scripts, and with a dash for everything else. A title without a letter or digit gives an empty handle.
pub fn handle_of(title: &str) -> String {
    let mut handle = String::with_capacity(title.len());
    for it in title.nfkd().collect::<String>().to_lowercase().nfkd() {
        let is_marked = |handle: &str| handle.ends_with(|it: char| !it.is_ascii());
        match it {
            'ß' => handle.push_str("ss"),
            // An accent on a Latin letter is dropped; in other scripts a mark makes another letter.
            it if is_combining_mark(it) && !is_marked(&handle) => {}
            it if it.is_alphanumeric() || is_combining_mark(it) => handle.push(it),
            it if is_silent(it) => {}
            _ if !handle.is_empty() && !handle.ends_with('-') => handle.push('-'),
            _ => {}
        }
    }
    handle.truncate(handle.trim_end_matches('-').len());
    handle.nfc().collect()
}

/// Apostrophes and invisible joiners, which do not separate words.
fn is_silent(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2018}' | '\u{2019}' | '\u{2bb}' | '\u{2bc}' | '\u{200c}' | '\u{200d}')
}

/// A handle as it is stored, in Unicode's composed form (NFC): a file of a Mac has `e` and an accent for `é`.
pub fn composed(handle: &str) -> String {
    handle.nfc().collect()
}

/// The handle of a record: the given one, or else that of its title, or else a new id as the fallback. Never
/// empty.
pub(crate) fn handle_for<K: Kind>(at: &Moment, given: &str, title: &str) -> String {
    let given = composed(given);
    let of_id = || at.id::<K>().to_lowercase().replace('_', "-");
    let [given, of_title] = [given, handle_of(title)].map(|it| Some(it).filter(|it| !it.is_empty()));
    given.or(of_title).unwrap_or_else(of_id)
}

/// Validates a given handle: words of lower-case letters and digits, separated by single dashes.
pub(crate) fn check(handle: &str) -> Result<(), Error> {
    let is_fit = |it: char| it.is_alphanumeric() && it.to_lowercase().eq([it]) || is_combining_mark(it);
    let is_word = |it: &str| !it.is_empty() && it.chars().all(is_fit);
    if handle.split('-').all(is_word) { Ok(()) } else { Err(Error::Handle(handle.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_title(title: &str, expect: &str) {
        let handle = handle_of(title);
        assert_eq!(handle, expect);
        assert_eq!(handle_of(&handle), handle, "the handle of a handle is itself");
        assert_eq!(check(&handle).is_ok(), !expect.is_empty(), "{handle}");
    }

    #[test]
    fn handles_are_made_from_titles() {
        check_title("Tee", "tee");
        check_title("Headless + Omnichannel in a pill", "headless-omnichannel-in-a-pill");
        check_title("Crème Brûlée", "creme-brulee");
        check_title("  -x-  ", "x");
        check_title("Straße", "strasse");
        check_title("GROẞ", "gross");
        check_title("Women's & Men’s", "womens-mens");
        check_title("½ ™", "1-2-tm");
        check_title("✂ — ", "");
    }

    #[test]
    fn handles_keep_letters_of_any_script() {
        check_title("Посуда", "посуда");
        check_title("Чёрный чай", "чёрный-чай");
        check_title("Łyżka", "łyzka");
        check_title("日本 茶", "日本-茶");
        check_title("がく", "がく");
        check_title("हिन्दी", "हिन्दी");
        check_title("ΟΔΟΣ", "οδος");
        check_title("İstanbul", "istanbul");
        check_title("한국", "한국");
    }

    #[test]
    fn given_handles_must_be_valid_in_urls() {
        for good in ["tee", "посуда-2", "日本", "łyżka", "é"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", "-", "a--b", "a-", "Tee", "Посуда", "a b", "a/b", "a?b", "a%20b", "a'b", "🍵"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
