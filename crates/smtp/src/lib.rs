//! The notification provider `smtp`: sends e-mails by a mail server, or writes them into a folder, with
//! templates that the operator can replace, for each channel if need be.

mod folder;
mod message;
mod send;
mod settings;
mod template;
