//! Checks of `verify`: the rules between stock, orders, carts and payments.

mod payment;
mod stock;
