//! The contract of file storages: put, url, delete; the keys of files, and which files are images.

use std::{future::Future, pin::Pin};

use atoll_kernel::{Ctx, Fault, Kind, Moment, http::Bytes, limits::FILE_KEY_CHARS_MAX, provider_kind};

use crate::Working;

/// A storage of public files: a folder, a bucket. It is registered with [`provider!`](atoll_kernel::provider)
/// under an id. The first one of the setting `providers.file` takes new files; the others still serve those
/// that they have.
pub trait FileStorage: Send + Sync {
    /// Stores a file under a new key, and returns its URL. It is served when it is whole, and not before: if
    /// the content ends with an error, or the process with a crash, there is no such file.
    fn put(&self, ctx: Ctx, key: String, content: Box<dyn Content>) -> Working<String>;

    /// The URL of a file; none if there is no such file.
    fn url(&self, ctx: Ctx, key: String) -> Working<Option<String>>;

    /// The content of a file; none if there is no such file, or the storage gives none back, as by default.
    /// An import reads an uploaded CSV by it.
    fn read(&self, ctx: Ctx, key: String) -> Working<Option<Box<dyn Content>>> {
        let _ = (ctx, key);
        Box::pin(async { Ok(None) })
    }

    /// Deletes a file. One that does not exist is no error.
    fn delete(&self, ctx: Ctx, key: String) -> Working<()>;

    /// A URL to which a client may `PUT` the content of a new file for
    /// [`PRESIGNED_URL_LIFETIME`](atoll_kernel::limits::PRESIGNED_URL_LIFETIME), past this server. The
    /// storage must refuse another media type and another size than those that are given here. None by
    /// default: the storage takes files by `put` alone.
    fn presign(&self, ctx: Ctx, key: String, upload: DirectUpload) -> Working<Option<String>> {
        let _ = (ctx, key, upload);
        Box::pin(async { Ok(None) })
    }

    /// Do other hosts of the shop have the same files? So it is by default; files in a folder of one host are
    /// not there after another one leads.
    fn is_shared(&self) -> bool {
        true
    }

    /// The origin from which files are served, if that is another one than this server's:
    /// `https://files.example.com`. Pages for people show pictures of these origins, and of no others.
    fn origin(&self, ctx: &Ctx) -> Option<String> {
        let _ = ctx;
        None
    }
}

provider_kind! { dyn FileStorage as "file" }

/// The origin of an address: of `https://files.example.com/shop/a.png` `https://files.example.com`.
pub fn origin_of(url: &str) -> String {
    url.split('/').take(3).collect::<Vec<_>>().join("/")
}

/// The content of a file, which may still be arriving.
pub trait Content: Send {
    /// The next bytes; none at the end.
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>>;
}

/// What a client may upload past this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectUpload {
    /// The media type: one that [`direct_type`] allows.
    pub media_type: &'static str,
    /// The size in bytes.
    pub n_bytes: u64,
}

/// The kind of a key, for its prefix.
struct File;

/// What keys that are made here begin with.
pub const ID_PREFIX: &str = "file";

impl Kind for File {
    const PREFIX: &'static str = ID_PREFIX;
}

/// Longest extension that a key keeps of a name.
const EXTENSION_CHARS_MAX: usize = 8;

/// The extension of a name in lower case, if it is one that a key keeps.
pub fn extension_of(name: &str) -> Option<String> {
    name.rsplit_once('.').map(|(_, it)| it.to_ascii_lowercase()).filter(|it| {
        (1..=EXTENSION_CHARS_MAX).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_alphanumeric())
    })
}

/// A new key for a file of this name: an id, and the extension of the name in lower case. Nothing else of the
/// name is kept; it is whatever a client wrote.
pub fn key_of(name: &str, at: &Moment) -> String {
    let id = at.id::<File>();
    extension_of(name).map_or_else(|| id.to_string(), |it| format!("{id}.{it}"))
}

/// Can this be the key of a file? Letters, digits, `-`, `_` and `.`, which is not the first; so no key leads
/// to another folder, or to a hidden file.
pub fn is_key(text: &str) -> bool {
    let fits = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.');
    (1..=FILE_KEY_CHARS_MAX).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(fits)
}

/// The media type of an image of a kind that browsers show and that holds no scripts, if both the extension
/// of the key and the first bytes of the content say so. Everything else is to be served as
/// `application/octet-stream`, and as an attachment: a browser would run the scripts of SVG and HTML with the
/// rights of the page's origin.
pub fn image_type(key: &str, content: &[u8]) -> Option<&'static str> {
    let is_riff = |kind: &[u8]| content.starts_with(b"RIFF") && content.get(8..12) == Some(kind);
    let is_brand = |brand: &[u8]| content.get(4..8) == Some(b"ftyp") && content.get(8..12) == Some(brand);
    let (media_type, is_it) = match key.rsplit_once('.')?.1 {
        "jpg" | "jpeg" => ("image/jpeg", content.starts_with(&[0xff, 0xd8, 0xff])),
        "png" => ("image/png", content.starts_with(b"\x89PNG\r\n\x1a\n")),
        "gif" => ("image/gif", content.starts_with(b"GIF87a") || content.starts_with(b"GIF89a")),
        "webp" => ("image/webp", is_riff(b"WEBP")),
        "avif" => ("image/avif", is_brand(b"avif") || is_brand(b"avis")),
        _ => return None,
    };
    is_it.then_some(media_type)
}

/// The media types of files that a client may upload past this server, with the extensions that their keys
/// may have: none that a browser would run scripts of. Nobody looks into such a file, and the storage serves
/// it with the type that the client has stated.
const DIRECT_TYPES: &[(&str, &[&str])] = &[
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/png", &["png"]),
    ("image/gif", &["gif"]),
    ("image/webp", &["webp"]),
    ("image/avif", &["avif"]),
    ("video/mp4", &["mp4"]),
    ("application/pdf", &["pdf"]),
    ("application/zip", &["zip"]),
    ("application/json", &["json"]),
    ("text/plain", &["txt"]),
    ("text/csv", &["csv"]),
    // What browsers on a machine with Excel say of CSV files.
    ("application/vnd.ms-excel", &["csv"]),
];

/// The media type, if a file with this key and this type may be uploaded past this server.
pub fn direct_type(key: &str, media_type: &str) -> Option<&'static str> {
    let extension = key.rsplit_once('.')?.1;
    let (known, extensions) = DIRECT_TYPES.iter().find(|(it, _)| *it == media_type)?;
    extensions.contains(&extension).then_some(*known)
}

#[cfg(test)]
mod tests {
    use atoll_kernel::{Actor, Timestamp};

    use super::*;

    #[test]
    fn keys_keep_the_extension_of_a_name_and_nothing_else() {
        let at = Moment::new(Timestamp::from_millis(1), Actor::System);
        for (name, extension) in [
            ("shirt.PNG", ".png"),
            ("../../etc/shirt.tar.gz", ".gz"),
            ("shirt", ""),
            ("shirt.", ""),
            ("a.b/c", ""),
            ("shirt.p\0ng", ""),
            ("shirt.ünd", ""),
            ("shirt.abcdefghi", ""),
            ("", ""),
        ] {
            let key = key_of(name, &at);
            assert!(is_key(&key), "{key}");
            assert_eq!(key.get("file_".len() + 26..), Some(extension), "{name}");
        }
    }

    #[test]
    fn keys_lead_out_of_no_folder() {
        for (text, is) in [
            ("file_01.png", true),
            ("a-b_c.1.JPG", true),
            ("", false),
            (".", false),
            ("..", false),
            (".hidden", false),
            ("../a", false),
            ("a/b", false),
            ("a\\b", false),
            ("a%2fb", false),
            ("a\0", false),
            ("ä", false),
            (&*"a".repeat(FILE_KEY_CHARS_MAX + 1), false),
        ] {
            assert_eq!(is_key(text), is, "{text:?}");
        }
    }

    #[test]
    fn only_types_without_scripts_are_uploaded_past_this_server() {
        for (key, media_type, is) in [
            ("a.png", "image/png", true),
            ("a.jpeg", "image/jpeg", true),
            ("a.csv", "text/csv", true),
            ("a.csv", "application/vnd.ms-excel", true),
            ("a.html", "text/html", false),
            ("a.png", "text/html", false),
            ("a.svg", "image/svg+xml", false),
            ("a.html", "image/png", false),
            ("a.html", "text/plain", false),
            ("a.xhtml", "application/xhtml+xml", false),
            ("a.js", "text/javascript", false),
            ("a.png", "image/png; charset=utf-8", false),
            ("a.png", "image/png\r\nx: y", false),
            ("a.bin", "application/octet-stream", false),
            ("png", "image/png", false),
            ("a.png", "", false),
        ] {
            assert_eq!(direct_type(key, media_type), is.then_some(media_type), "{key} {media_type}");
        }
    }

    #[test]
    fn images_are_what_both_extension_and_content_say() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
        for (key, content, expected) in [
            ("a.png", &png[..], Some("image/png")),
            ("a.jpg", b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            ("a.jpeg", b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            ("a.gif", b"GIF89a", Some("image/gif")),
            ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", Some("image/webp")),
            ("a.avif", b"\0\0\0\x20ftypavif", Some("image/avif")),
            ("a.jpg", &png[..], None),
            ("a.png", b"<html>", None),
            ("a.html", &png[..], None),
            ("a.svg", b"<svg>", None),
            ("png", &png[..], None),
            ("a.webp", b"RIFF", None),
            ("a.png", b"", None),
        ] {
            assert_eq!(image_type(key, content), expected, "{key}");
        }
    }
}
