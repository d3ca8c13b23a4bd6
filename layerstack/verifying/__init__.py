"""What must work before what, how it is asked, and why it does not."""
