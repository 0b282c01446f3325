// Stop, from the button in the message box or with Escape.
function stopLatest() {
  const forms = document.querySelectorAll("form[data-stop]")
  forms[forms.length - 1]?.requestSubmit()
  return forms.length > 0
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-stop-latest]")
  if (!button) return
  stopLatest()
  // The button goes with the answer. From the keyboard one is in the message box then, else at the top of the page.
  if (event.detail === 0) button.form.elements.body.focus()
})

document.addEventListener("keydown", (event) => {
  // Escape closes what is open before it stops anything.
  if (event.key !== "Escape" || event.shiftKey || document.querySelector(":popover-open, dialog[open]")) return
  if (event.isComposing || event.target.closest("#chat-title")) return
  if (stopLatest()) event.preventDefault()
})
