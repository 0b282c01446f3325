"""Connections at their doors: added, tested, changed and removed by administrators, and by nobody else."""

from tests.cast import Cast


async def test_an_administrator_connects_echo_with_one_click(cast: Cast) -> None:
    response = await cast.alice.client.post("/admin/connections", data={"kind": "echo"})
    assert response.status_code == 303, response.text
    page = await cast.alice.client.get("/admin/connections")
    assert page.status_code == 200
    assert "Echo" in page.text
