//! `verify`: finds each kind of damage that is planted, that one and no other, and nothing in a shop that is
//! whole.

mod live;
mod planted;
mod review;
