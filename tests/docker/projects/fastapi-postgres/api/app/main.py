"""Notes in PostgreSQL."""

import os

import psycopg
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Note(BaseModel):
    text: str


def connect() -> psycopg.Connection:
    connection = psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=2)
    connection.execute("CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text NOT NULL)")
    return connection


@app.get("/health")
def health() -> dict[str, str]:
    with connect() as connection:
        connection.execute("SELECT 1")
    return {"status": "ok"}


@app.post("/notes", status_code=201)
def add(note: Note) -> dict[str, object]:
    with connect() as connection:
        row = connection.execute("INSERT INTO notes (text) VALUES (%s) RETURNING id", (note.text,)).fetchone()
    return {"id": row[0], "text": note.text}


@app.get("/notes")
def notes() -> list[dict[str, object]]:
    with connect() as connection:
        rows = connection.execute("SELECT id, text FROM notes ORDER BY id").fetchall()
    return [{"id": number, "text": text} for number, text in rows]
