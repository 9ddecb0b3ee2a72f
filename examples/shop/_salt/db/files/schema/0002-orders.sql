CREATE TABLE orders (
    id     INTEGER PRIMARY KEY,
    goods  INTEGER NOT NULL REFERENCES goods (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    placed TIMESTAMP NOT NULL
);
