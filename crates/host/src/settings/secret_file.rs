//! Secrets in files: each secret setting has a second form, `…_file`, that names a file with it, in every
//! source; and systemd hands files over as credentials (`LoadCredential=`).

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use super::Loading;

/// Behind the name of a secret: the setting that names its file.
const FILE_FORM: &str = "_file";

/// Bytes of a file with a secret: more than the longest key or token, and no log or disk that was named by
/// mistake.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// Rights that a file with a secret should not give: any to everybody, and writing to a group. A group may
/// read it: that of the service, say.
const MODES_TOO_WIDE: u32 = 0o027;

/// The variable that names the folder of systemd's credentials, and how those are called that are secrets of
/// ours: `atoll_jwt_secret`, `atoll_smtp.password`. `LoadCredential=atoll:FOLDER` names the files of a folder
/// so.
const CREDENTIALS: (&str, &str) = ("CREDENTIALS_DIRECTORY", "atoll_");

/// A value of a setting, and where it comes from.
pub(super) type Sourced = (String, String);

/// Is this the name of the setting, or, for a secret, of the one that names its file?
pub(super) fn is_form(name: &str, of: &str, is_secret: bool) -> bool {
    match name.strip_prefix(of) {
        Some("") => true,
        Some(rest) => is_secret && rest == FILE_FORM,
        None => false,
    }
}

/// The names under which a setting is given: its own, and for a secret the one that names its file.
pub(super) fn forms(name: &str, is_secret: bool) -> Vec<String> {
    let forms = if is_secret { &["", FILE_FORM][..] } else { &[""] };
    forms.iter().map(|form| format!("{name}{form}")).collect()
}

impl Loading<'_> {
    /// What one source gives a setting. `read` reads the setting with this behind its name; for a secret,
    /// that is also asked for the name of a file. A source that gives both is wrong: nobody knows which one
    /// was meant.
    pub(super) fn given(
        &mut self,
        name: &str,
        is_secret: bool,
        read: impl Fn(&mut Self, &str) -> Option<Sourced>,
    ) -> Option<Sourced> {
        let text = read(self, "");
        let file = if is_secret { read(self, FILE_FORM) } else { None };
        match (text, file) {
            (Some((_, one)), Some((_, other))) => {
                let which = if one == other { one } else { format!("{one}, {other}") };
                self.say(format!("{name} and {name}{FILE_FORM} are both set ({which})"))
            }
            (None, Some((path, source))) => {
                let path = Path::new(&path);
                match secret_in(path) {
                    Ok(secret) => {
                        self.warn_of_modes(path);
                        Some((secret, format!("{}, by {source}", path.display())))
                    }
                    Err(why) => self.say(format!("{name}{FILE_FORM}: {}: {why} ({source})", path.display())),
                }
            }
            (text, None) => text,
        }
    }

    /// The secret of this name that systemd hands over. Nobody else can read it there.
    pub(super) fn credential(&mut self, name: &str) -> Option<Sourced> {
        let (variable, prefix) = CREDENTIALS;
        let path = Path::new(&self.variable(variable)?).join(format!("{prefix}{name}"));
        if !path.exists() {
            return None;
        }
        match secret_in(&path) {
            Ok(secret) => Some((secret, path.display().to_string())),
            Err(why) => self.say(format!("{name}: {}: {why} ({variable})", path.display())),
        }
    }

    fn warn_of_modes(&mut self, path: &Path) {
        let mode = path.metadata().map_or(0, |it| it.permissions().mode());
        if mode & MODES_TOO_WIDE != 0 {
            let (path, mode) = (path.display(), mode & 0o7777);
            self.warnings.push(format!(
                "{path} holds a secret, and others may read or change it (mode {mode:04o}): `chmod 600 {path}`"
            ));
        }
    }
}

/// The secret in a file, without the line break at its end. The error does not say what is in it.
fn secret_in(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|it| it.take(SECRET_FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err("there is no such file".into()),
        Err(error) => return Err(format!("it cannot be read: {error}")),
        Ok(n) if n as u64 > SECRET_FILE_BYTES_MAX => {
            return Err(format!("it has more than {SECRET_FILE_BYTES_MAX} bytes"));
        }
        Ok(_) => {}
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err("it is empty".into()),
        secret => Ok(secret.to_owned()),
    }
}
