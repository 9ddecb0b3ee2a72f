CREATE TABLE goods (
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    cents INTEGER NOT NULL CHECK (cents >= 0)
);
