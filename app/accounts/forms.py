"""What forms of this room share: typed values that come back with an error beside the field it is about."""

from typing import Annotated

from fastapi import Form
from pydantic import BaseModel, ConfigDict, Field

from app.accounts.registering import Application
from app.core.errors import Invalid, ParleyError

LONGEST_FIELD = 2_000


class Blanks(dict[str, str]):
    """Texts by name for a template, where a name without a text is an empty one."""

    def __missing__(self, name: str) -> str:
        return ""


class ApplicationForm(BaseModel):
    """The form for a new account. Nothing is required here: what is missing gets a sentence, not a code."""

    model_config = ConfigDict(str_max_length=LONGEST_FIELD)

    username: str = ""
    email: str = ""
    name: str = ""
    password: str = Field("", repr=False)
    code: str = Field("", repr=False)

    def application(self) -> Application:
        return Application(self.username, self.email, self.name, self.password)

    def values(self) -> Blanks:
        """What is shown again when the form comes back: never the password."""
        return Blanks({"username": self.username, "email": self.email, "name": self.name})


NewAccount = Annotated[ApplicationForm, Form()]
Text = Annotated[str, Form(max_length=LONGEST_FIELD)]


def errors_by_field(error: ParleyError | None) -> Blanks:
    """The sentence under the name of the field it is about; under `form` when it is about none."""
    if error is None:
        return Blanks()
    field = error.field if isinstance(error, Invalid) and error.field else "form"
    return Blanks({field: error.message})
