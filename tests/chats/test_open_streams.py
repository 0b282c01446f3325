"""One person cannot take the room of everybody else."""

import asyncio

import httpx
from fastapi import FastAPI

from app.live.seats import Seats
from tests.cast import Cast
from tests.chats.reading import browser_of


async def test_streams_are_counted_for_each_person(app: FastAPI, cast: Cast, address: str) -> None:
    app.state.seats = Seats(most=2)

    async with browser_of(cast.alice, address) as alices, browser_of(cast.bob, address) as bobs:
        async with (
            alices.stream("GET", "/live") as first,
            alices.stream("GET", "/live") as second,
            bobs.stream("GET", "/live") as others,
        ):
            one_too_many = await alices.get("/live")
        async with asyncio.timeout(60):
            while (status := await status_of_a_stream(alices)) == 429:  # noqa: ASYNC110  (no event tells it)
                await asyncio.sleep(0.05)

    assert [response.status_code for response in (first, second, others)] == [200, 200, 200]
    assert one_too_many.status_code == 429
    assert one_too_many.headers["retry-after"]
    assert status == 200


async def status_of_a_stream(client: httpx.AsyncClient) -> int:
    async with client.stream("GET", "/live") as response:
        return response.status_code
