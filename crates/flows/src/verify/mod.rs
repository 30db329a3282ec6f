//! `verify` checks of the rules between stock, orders, carts, payments, promotions and shipping.

mod payment;
mod promotion;
mod shipping;
mod stock;
