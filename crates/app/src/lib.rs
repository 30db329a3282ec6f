//! The pages for merchants and operators, at `/app`: rendered on the server, as a client of the API in the
//! same process. Forms work without script.
//!
//! `serve.rs` answers requests for pages, `form.rs` reads forms, `session.rs` logs in and out and tells own
//! forms from foreign ones (CSRF), `first_admin.rs` makes the first admin, `invited.rs` the next ones,
//! `reset.rs` gives them a new password, `frame.rs` is what stands around each page, and `pages/` has the
//! pages of the core, a file per resource.

mod assets;
mod first_admin;
mod form;
mod frame;
mod invited;
mod pages;
mod reset;
mod root;
mod serve;
mod session;

pub use atoll_pages::Linked;
pub use first_admin::invite_first_admin;
pub use root::{AREAS, PagesAt, segments};
pub use serve::app_pages;
