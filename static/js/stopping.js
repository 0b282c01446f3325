// Stop, from the button in the message box or with Escape.
function stopLatest() {
  const forms = document.querySelectorAll("form[data-stop]")
  forms[forms.length - 1]?.requestSubmit()
  return forms.length > 0
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-stop-latest]")) stopLatest()
})

document.addEventListener("keydown", (event) => {
  // Escape closes what is open before it stops anything.
  if (event.key !== "Escape" || event.shiftKey || document.querySelector(":popover-open, dialog[open]")) return
  if (event.isComposing || event.target.closest("#chat-title")) return
  if (stopLatest()) event.preventDefault()
})
