//! What a read, a write and a stage cost: see the bench targets beside this file.
