//! The notification provider `smtp`: sends e-mails by a mail server, with templates that the operator can
//! replace.

mod send;
mod settings;
mod template;
