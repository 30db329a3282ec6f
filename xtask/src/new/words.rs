//! The forms of a name in generated code: `wish-list`, `wish_list`, `WishList`, `WISH_LIST`, plurals, titles.

use std::fmt::Write as _;

/// Replaces the placeholders of a template: `__name__` and its other forms, and those of the crate that a
/// part is generated in.
pub(super) struct Words(Vec<(String, String)>);

impl Words {
    /// For `name`, in the crate `krate` in `folder`.
    pub(super) fn new(name: &str, krate: &str, folder: &str) -> Words {
        let plural = plural(name);
        let snake = |it: &str| it.replace('-', "_");
        let title = |it: &str| it.replace('-', " ");
        let prefix: String = snake(name).replace('_', "").chars().take(10).collect();
        let pairs = [
            ("__folder__", folder.to_owned()),
            ("__crate__", krate.to_owned()),
            ("__crate_snake__", snake(krate)),
            ("__from__", snake(krate)),
            ("__froms__", snake(&self::plural(krate))),
            ("__From__", pascal(krate)),
            ("__FROMS__", snake(&self::plural(krate)).to_uppercase()),
            ("__from_titles__", title(&self::plural(krate))),
            ("__From_titles__", capital(&title(&self::plural(krate)))),
            ("__name__", name.to_owned()),
            ("__names__", plural.clone()),
            ("__snake__", snake(name)),
            ("__snakes__", snake(&plural)),
            ("__Name__", pascal(name)),
            ("__NAME__", snake(name).to_uppercase()),
            ("__NAMES__", snake(&plural).to_uppercase()),
            ("__title__", title(name)),
            ("__titles__", title(&plural)),
            ("__Title__", capital(&title(name))),
            ("__prefix__", prefix),
        ];
        Words(pairs.map(|(from, to)| (from.to_owned(), to)).into())
    }

    /// The text with the words in it.
    pub(super) fn fill(&self, template: &str) -> String {
        self.0.iter().fold(template.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

/// Is this a name: lower-case words with hyphens between them?
pub(super) fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.split('-').all(|word| {
            word.starts_with(|it: char| it.is_ascii_lowercase())
                && word.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        })
}

fn plural(name: &str) -> String {
    match name.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if ["s", "x", "ch", "sh"].iter().any(|end| name.ends_with(end)) => format!("{name}es"),
        _ => format!("{name}s"),
    }
}

fn pascal(name: &str) -> String {
    name.split('-').fold(String::new(), |mut text, word| {
        let _ = write!(text, "{}", capital(word));
        text
    })
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_all_its_forms() {
        let words = Words::new("gift-box", "wish-list", "plugins/wish-list");
        assert_eq!(
            words.fill("__name__ __names__ __snake__ __Name__ __NAMES__ __Title__ atoll___snake__ __FROMS__"),
            "gift-box gift-boxes gift_box GiftBox GIFT_BOXES Gift box atoll_gift_box WISH_LISTS"
        );
        assert_eq!(plural("category"), "categories");
        assert_eq!(plural("day"), "days");
    }

    #[test]
    fn names_are_lower_case_words_with_hyphens() {
        for name in ["wishlist", "gift-box", "box2"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Wishlist", "gift_box", "-gift", "gift-", "2box", "gift--box", "../gift"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
