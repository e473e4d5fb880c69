"""What an API client asked for under a key of its own."""

from django.db import models

from patients.models.clinic import Clinic


class ClientRequest(models.Model):
    """One creation. Asked for again under the same key, the answer is the object that was made then."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=80)
    digest = models.CharField(max_length=64)  # of the body, so that a key is not used for something else
    answer = models.UUIDField(null=True)  # public id; empty only inside the transaction that makes it
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "key"], name="client_request_key_once_per_clinic")
        ]

    def __str__(self) -> str:
        return self.key
