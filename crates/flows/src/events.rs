//! The events that flows emit, by name: subscribers may follow these, and changes of records and links.

use atoll_kernel::events;

events! {
    "cart.created", "cart.customer_transferred", "cart.deleted", "cart.region_updated", "cart.updated",
    "customer.created", "customer.deleted", "customer.updated",
    "customer-group.created", "customer-group.deleted", "customer-group.updated",
    "delivery.created",
    "inventory-item.created", "inventory-item.deleted", "inventory-item.updated",
    "inventory-level.created", "inventory-level.deleted", "inventory-level.updated",
    "invite.accepted", "invite.created", "invite.deleted", "invite.resent",
    "order.archived", "order.canceled", "order.completed", "order.fulfillment_canceled",
    "order.fulfillment_created", "order.placed", "order.transfer_requested", "order.updated",
    "payment.authorized_in_vain", "payment.captured", "payment.captured_in_vain", "payment.let_go",
    "payment.refunded",
    "product.created", "product.deleted", "product.updated",
    "product-category.created", "product-category.deleted", "product-category.updated",
    "product-collection.created", "product-collection.deleted", "product-collection.updated",
    "product-option.created", "product-option.deleted", "product-option.updated",
    "product-tag.created", "product-tag.deleted", "product-tag.updated",
    "product-type.created", "product-type.deleted", "product-type.updated",
    "product-variant.created", "product-variant.deleted", "product-variant.updated",
    "refund-reason.created", "refund-reason.deleted", "refund-reason.updated",
    "region.created", "region.deleted", "region.updated",
    "reservation-item.created", "reservation-item.deleted", "reservation-item.updated",
    "sales-channel.created", "sales-channel.deleted", "sales-channel.updated",
    "shipment.created",
    "shipping-option.created", "shipping-option.deleted", "shipping-option.updated",
    "shipping-option-type.created", "shipping-option-type.deleted", "shipping-option-type.updated",
    "shipping-profile.created", "shipping-profile.deleted", "shipping-profile.updated",
    "user.created", "user.deleted", "user.updated",
}
