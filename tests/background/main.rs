//! What goes on beside requests. The subscribers and jobs of these tests are linked into this program alone.

mod events;
mod jobs;
mod tokens;
