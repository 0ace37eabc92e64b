-- Where some customers' lives may begin besides their touchpoints: customer, the earlier of creation and first trait.
-- Parameters: customers.  Indexes: the primary key, the profile's customer, trait_has_one_value_at_an_instant.
SELECT customer.id,
       least(
           customer.created_at,
           (SELECT min(trait.set_at)
            FROM customers_profile AS profile JOIN customers_trait AS trait ON trait.profile_id = profile.id
            WHERE profile.customer_id = customer.id)
       )
FROM customers_customer AS customer
WHERE customer.id = ANY(%(customers)s)
ORDER BY customer.id
