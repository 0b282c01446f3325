"""What was done, in words: the log keeps short codes, so that it can be searched whatever they are called."""

from app.accounts.audit import COMMAND_LINE, NOBODY

WORDS = {
    "alias.changed": "Changed an alias",
    "alias.created": "Made an alias",
    "alias.removed": "Removed an alias",
    "budget.changed": "Changed a limit",
    "budget.created": "Set a limit",
    "budget.removed": "Removed a limit",
    "connection.activated": "Switched a connection on",
    "connection.address_changed": "Changed the address of a connection",
    "connection.created": "Added a connection",
    "connection.deactivated": "Switched a connection off",
    "connection.key_deleted": "Deleted the key of a connection",
    "connection.key_replaced": "Replaced the key of a connection",
    "connection.key_removed": "Removed one of the keys of a connection",
    "connection.keys_added": "Added keys to a connection",
    "connection.made_local": "Marked a connection as local",
    "connection.made_remote": "Marked a connection as not local",
    "connection.opened": "Opened a connection to everyone",
    "connection.removed": "Removed a connection",
    "connection.renamed": "Renamed a connection",
    "connection.restricted": "Kept a connection to groups",
    "currency.changed": "Changed the currency or its rate",
    "group.created": "Made a group",
    "group.deleted": "Deleted a group",
    "group.made_main": "Let a group pay for somebody",
    "group.manager_added": "Made somebody a manager of a group",
    "group.manager_removed": "Made a manager a member again",
    "group.member_added": "Put somebody into a group",
    "group.member_removed": "Took somebody out of a group",
    "group.renamed": "Renamed a group",
    "invitation.accepted": "Accepted an invitation",
    "invitation.created": "Invited somebody",
    "invitation.withdrawn": "Withdrew an invitation",
    "key.created": "Made an API key",
    "key.changed": "Changed an API key",
    "key.revoked": "Revoked an API key",
    "model.opened": "Opened a model to everyone",
    "model.restricted": "Kept a model to groups",
    "model.loaded": "Had a model loaded",
    "model.unloaded": "Had models unloaded",
    "models.disabled": "Unticked models",
    "models.enabled": "Ticked models",
    "price.removed": "Went back to the price of the list",
    "price.set": "Set a price",
    "secrets.rotated": "Encrypted all keys anew",
    "service_account.created": "Made a service account",
    "service_account.disabled": "Disabled a service account",
    "service_account.enabled": "Enabled a service account",
    "service_account.renamed": "Renamed a service account",
    "session.created": "Logged in",
    "session.ended": "Logged out, or ended a session",
    "session.refused": "Failed to log in",
    "user.created": "Made an account",
    "user.demoted": "Made an administrator a member",
    "user.disabled": "Disabled an account",
    "user.email_changed": "Changed their e-mail address",
    "user.enabled": "Enabled an account",
    "user.password_changed": "Changed their password",
    "user.password_reset": "Reset a password",
    "user.profile_changed": "Changed their profile",
    "user.promoted": "Made a member an administrator",
    "user.registered": "Made an account for themselves",
    "user.signed_out": "Logged somebody out everywhere",
    "workspace.changed": "Changed the settings of the workspace",
    "workspace.set_up": "Set Parley up",
}
ACTORS = {NOBODY: "Not logged in", COMMAND_LINE: "Command line"}


def done(action: str) -> str:
    """`session.created` → `Logged in`; what has no words yet is at least readable: `Thing: was turned`."""
    noun, _, verb = action.replace("_", " ").partition(".")
    return WORDS.get(action) or (f"{noun.capitalize()}: {verb}" if verb else noun.capitalize())


def doer(name: str) -> str:
    """Who did it: a username, or what stands for one."""
    return ACTORS.get(name, name)
