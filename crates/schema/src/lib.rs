//! Request validation: const schemas of bodies and query strings, and their JSON Schema.
//!
//! They check JSON and report errors in the words of the wire, which existing clients show to their users.

mod body;
mod issue;
mod json_schema;
mod long_numbers;
mod query;

pub use body::{Body, Field, Type, check, optional, required};
pub use issue::Issues;
pub use json_schema::{body_schema, field_schema, param_schema};
pub use long_numbers::LongNumbers;
pub use query::{Filters, ListParams, Param, ParamKind, Params, check as check_query};
