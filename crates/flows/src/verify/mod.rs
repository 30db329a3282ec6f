//! `verify` checks of the rules between stock, orders, carts and payments.

mod payment;
mod stock;
