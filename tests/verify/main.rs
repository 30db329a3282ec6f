//! `verify` finds each kind of planted damage and nothing else, and nothing in an intact shop.

mod live;
mod planted;
mod review;
