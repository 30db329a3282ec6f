//! Value types that every layer shares: typed ids, decimals for money, timestamps, metadata, and the limits
//! of requests. No I/O.

mod causes;
mod comparison;
mod decimal;
mod fields;
mod filter;
mod hex;
mod id;
pub mod limits;
mod metadata;
mod moment;
mod names;
mod now;
mod panic;
mod timestamp;
mod trace;

pub use causes::with_causes;
pub use comparison::Comparison;
pub use decimal::Decimal;
pub use fields::Fields;
pub use filter::{Condition, Filter};
pub use hex::hex;
pub use id::{Id, Kind};
pub use metadata::Metadata;
pub use moment::{Actor, Moment, ids_after, latest_id_at};
pub use names::{flattened, joined};
pub use now::{Now, Validity};
pub use panic::panic_message;
pub use timestamp::Timestamp;
pub use trace::{NoTrace, Trace};
